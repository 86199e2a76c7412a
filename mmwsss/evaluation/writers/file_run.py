# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Test runs that write a file for each photo, and go on after a kill."""

import os.path as osp

from mmengine.config import Config, ConfigDict
from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmseg.registry import DATASETS, RUNNERS
from torch.utils.data import Dataset

from mmwsss.utils import check_keys

from ..metrics.confusion_metric import image_id


def augmented_loader(cfg: Config) -> ConfigDict:
    """The data loader of all photos, with augmentations to merge.

    It is the config's ``seed_dataloader``, else its ``test_dataloader``; where
    its pipeline has no ``TestTimeAug``, ``tta_pipeline`` replaces it.

    Args:
        cfg (Config): The config; its loader is changed in place.

    Raises:
        ValueError: Naming the config, if it lacks a loader or augmentations.
    """
    loader = cfg.get('seed_dataloader') or cfg.get('test_dataloader')
    if loader is None:
        raise ValueError(
            f'{cfg.filename} has neither seed_dataloader nor test_dataloader')
    dataset = loader['dataset']
    if not any(step['type'] == 'TestTimeAug'
               for step in dataset.get('pipeline', [])):
        if 'tta_pipeline' not in cfg:
            raise ValueError(
                f'{cfg.filename}: seeds and walks need a pipeline with '
                'TestTimeAug in seed_dataloader, or a tta_pipeline')
        dataset['pipeline'] = cfg.tta_pipeline
    return loader


def make_test_run(cfg: Config, tta_model: dict, loader: dict,
                  checkpoint: str, amp: str | None = None) -> None:
    """Turn a config into one of a test run over all photos, in place.

    The backbone computes as :class:`FastInferenceHook` lets it, unless the
    config's ``default_hooks.fast_inference`` is None.

    Args:
        cfg (Config): The config.
        tta_model (dict): What wraps its model.
        loader (dict): The data loader.
        checkpoint (str): The weights.
        amp (str, optional): The backbone's precision, ``'bf16'`` or ``'fp16'``.
            Defaults to None: the config's, else single precision.

    Raises:
        ValueError: If the config has no model, or if ``amp`` is asked for and the
            hook is left out.
    """
    check_keys(cfg, 'model')
    cfg.test_dataloader = loader
    cfg.model = ConfigDict(**tta_model, module=cfg.model)
    for part in ('train_dataloader', 'train_cfg', 'optim_wrapper',
                 'param_scheduler', 'val_dataloader', 'val_cfg',
                 'val_evaluator'):
        cfg[part] = None
    cfg.test_cfg = dict(type='TestLoop')
    cfg.load_from, cfg.resume = checkpoint, False
    hooks = cfg.setdefault('default_hooks', ConfigDict())
    fast = hooks.setdefault('fast_inference', ConfigDict())
    if fast is None:
        if amp:
            raise ValueError('half precision needs the hook fast_inference, which '
                             'default_hooks leaves out')
        hooks.pop('fast_inference')
        return
    fast.setdefault('type', 'mmseg.FastInferenceHook')
    if amp:
        fast['amp'] = amp


def photos_to_do(cfg: Config, outputs: list[tuple]) -> Dataset | None:
    """The dataset of a test run without the photos that are done.

    Args:
        cfg (Config): The config of a test run.
        outputs (list[tuple]): Folder, suffix and origin of each kind of file.

    Returns:
        Dataset | None: The photos that lack a file, the same in every process;
        None if all are done.
    """
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    # One process looks, before any writes.
    found = [None]
    if is_main_process():
        found = [_find_missing(dataset, outputs)]
    broadcast_object_list(found)
    missing, total = found[0], len(dataset)
    if not missing:
        print(f'all {total} photos are done')
        return None
    if len(missing) < total:
        print(f'{total - len(missing)} of {total} photos are done, '
              f'{len(missing)} to go')
        dataset.get_subset_(missing)
    return dataset


def build_runner(cfg: Config, dataset: Dataset | None = None) -> Runner:
    """The runner of a test run.

    Args:
        cfg (Config): Its config.
        dataset (Dataset, optional): What to test on, already built. Defaults to
            None: what the config says.
    """
    if 'runner_type' in cfg:
        runner = RUNNERS.build(cfg)
    else:
        runner = Runner.from_cfg(cfg)
    if dataset is not None:
        # Not in the config, which is written to disk.
        runner._test_dataloader = dict(cfg.test_dataloader, dataset=dataset)
    return runner


def _find_missing(dataset: Dataset, outputs: list[tuple]) -> list[int]:
    """The positions of the photos that lack a file."""
    missing = []
    for i in range(len(dataset)):
        name = image_id(dataset.get_data_info(i))
        if not all(osp.exists(osp.join(folder, name + suffix))
                   for folder, suffix, _ in outputs):
            missing.append(i)
    return missing
