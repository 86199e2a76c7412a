# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The files that an OpenMMLab config names."""

import os.path as osp
from collections.abc import Iterator
from typing import Any

_DATASET_KEYS = ('ann_file', 'label_file', 'data_prefix')
_CHECKPOINT_KEYS = (
    'checkpoint', 'checkpoint_path', 'file', 'load_from', 'pretrained')


def data_paths(cfg: dict) -> list[str]:
    """Files and folders that the datasets and models of a config read.

    For each dataset its list of images, label table, list of classes and folders
    of images and masks, or its whole ``data_root`` if it names no folder; for
    models and runners their checkpoints, where these are local files.

    Args:
        cfg (dict): A config.

    Returns:
        list[str]: Paths, each once, in the config's order. They may not exist.
    """
    return list(dict.fromkeys(_iter_paths(cfg)))


def _iter_paths(node: Any) -> Iterator[str]:
    if isinstance(node, (list, tuple)):
        for value in node:
            yield from _iter_paths(value)
    if not isinstance(node, dict):
        return
    root = node.get('data_root') or ''
    if any(key in node for key in _DATASET_KEYS):
        prefixes = dict(node.get('data_prefix') or {})
        names = [node.get('ann_file'), node.get('label_file'),
                 node.get('classes'), *prefixes.values()]
        if root and not prefixes:
            names.append('')
        for name in names:
            if isinstance(name, str) and (name or root):
                yield osp.normpath(osp.join(root, name))
    for key, value in node.items():
        if key in _CHECKPOINT_KEYS and isinstance(value, str):
            if osp.isfile(value):
                yield value
        else:
            yield from _iter_paths(value)
