# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The images of a dataset of any kind, and the names of files that belong to one."""

import os
import os.path as osp
from collections.abc import Iterator
from itertools import chain
from typing import Any

from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS

from mmwsss.utils import check_image_ids


def image_dataset(cfg: Config, dataset: dict) -> Any:
    """One of a config's datasets, of which only the images matter.

    Args:
        cfg (Config): The config, whose default scope begins.
        dataset (dict): Config of the dataset; its pipeline is left out.
    """
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    return DATASETS.build(dict(dataset, pipeline=[]))


def image_infos(dataset: Any) -> list[dict]:
    """What a dataset holds of each image, with an id that no other has.

    The id of an image is its path below ``data_prefix['img_path']`` without
    suffix. Our own datasets say it themselves, mmseg's do not.

    Args:
        dataset (BaseDataset): A dataset of our own or of mmseg, or several joined
            by a ``ConcatDataset``.

    Returns:
        list[dict]: As ``get_data_info`` gives them, in order, each with ``img_id``.

    Raises:
        ValueError: If an id cannot name a file, see :func:`check_image_ids`, or
            naming both images, if two have the same.
    """
    infos = list(_iter_infos(dataset))
    paths: dict[str, str] = {}
    for info in infos:
        path = paths.setdefault(info['img_id'], info['img_path'])
        if path != info['img_path']:
            raise ValueError(f'{path} and {info["img_path"]} have the same id '
                             f'{info["img_id"]!r}: their results would overwrite '
                             'each other; rename one, or test them apart')
    check_image_ids(paths, type(dataset).__name__)
    return infos


def image_ids(dataset: Any) -> dict[str, str]:
    """The id of each image of a dataset by its path, see :func:`image_infos`."""
    return {info['img_path']: info['img_id'] for info in image_infos(dataset)}


def image_id(sample: dict) -> str:
    """The id of a sample: ``img_id``, else the stem of its image's file."""
    if sample.get('img_id') is not None:
        return str(sample['img_id'])
    return osp.splitext(osp.basename(sample['img_path']))[0]


def _iter_infos(dataset: Any) -> Iterator[dict]:
    if hasattr(dataset, 'datasets'):
        yield from chain.from_iterable(map(_iter_infos, dataset.datasets))
    elif hasattr(dataset, 'dataset'):
        yield from _iter_infos(dataset.dataset)
    else:
        for i in range(len(dataset)):
            info = dataset.get_data_info(i)
            if info.get('img_id') is None:
                info['img_id'] = _id_below(dataset, info['img_path'])
            yield info


def _id_below(dataset: Any, path: str) -> str:
    """The path of an image below its dataset's folder, without suffix."""
    folder = (getattr(dataset, 'data_prefix', None) or {}).get('img_path') or ''
    if folder or not osp.isabs(path):
        name = osp.relpath(path, folder or os.curdir).replace(os.sep, '/')
    else:
        name = osp.basename(path)
    suffix = getattr(dataset, 'img_suffix', '')
    if isinstance(suffix, str) and suffix and name.endswith(suffix):
        return name.removesuffix(suffix)
    return osp.splitext(name)[0]
