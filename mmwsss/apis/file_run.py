# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Test runs that write a file for each image, and go on after a kill."""

import os.path as osp

from mmengine.config import Config, ConfigDict
from mmengine.dataset import BaseDataset
from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS

from mmwsss.datasets.image_ids import image_infos
from mmwsss.evaluation.writers.origin import check_origin, finish_origin
from mmwsss.utils.digest import digest_checkpoint, digest_value


def run_origin(cfg: Config, checkpoint: str) -> dict[str, str]:
    """What decides the predictions of a test run, for the origin of its files.

    Args:
        cfg (Config): The config of the test run.
        checkpoint (str): The weights.
    """
    dataset = ConfigDict(cfg.test_dataloader.dataset).to_dict()
    return dict(
        weights=digest_checkpoint(checkpoint),
        model=digest_value(cfg.model.to_dict()),
        pipeline=digest_value(dataset['pipeline']))


def check_origins(outputs: list[tuple], renew: bool = False) -> None:
    """Let one process check the origin of each kind of file.

    Args:
        outputs (list[tuple]): Folder, suffix and origin of each, see
            :func:`check_origin`.
        renew (bool): Whether files of another origin make way. Defaults to False.
    """
    if is_main_process():
        for folder, suffix, origin in outputs:
            check_origin(folder, origin, suffix, renew)


def images_to_do(cfg: Config, outputs: list[tuple]) -> BaseDataset | None:
    """The dataset of a test run without the images that are done.

    Args:
        cfg (Config): The config of a test run.
        outputs (list[tuple]): Folder, suffix and origin of each kind of file.

    Returns:
        BaseDataset | None: The images that lack a file, the same in every process;
        None if all are done.
    """
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    # One process looks, before any writes.
    found = [_find_missing(dataset, outputs) if is_main_process() else None]
    broadcast_object_list(found)
    missing, total = found[0], len(dataset)
    if not missing:
        print(f'all {total} images are done')
        # A kill may have come between the last file and this.
        if is_main_process():
            for folder, _, _ in outputs:
                finish_origin(folder)
        return None
    if len(missing) < total:
        print(f'{total - len(missing)} of {total} images are done, '
              f'{len(missing)} to go')
        dataset.get_subset_(missing)
    return dataset


def _find_missing(dataset: BaseDataset, outputs: list[tuple]) -> list[int]:
    """The positions of the images that lack a file."""
    return [i for i, info in enumerate(image_infos(dataset))
            if not all(osp.exists(osp.join(folder, info['img_id'] + suffix))
                       for folder, suffix, _ in outputs)]
