# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""mmengine's loaders of checkpoints, held to :func:`load_checkpoint_file`."""

import os
import os.path as osp
from typing import Any

import torch
from mmengine.dist import get_dist_info
from mmengine.runner import CheckpointLoader
from mmengine.runner.checkpoint import (
    _get_mmengine_home,
    _process_mmcls_checkpoint,
    get_deprecated_model_names,
    get_external_models,
    get_mmcls_models,
    get_torchvision_models,
)

from mmwsss.utils.checkpoint import FORCE_SAFE, load_checkpoint_file


def use_safe_loading() -> None:
    """Make mmengine load every checkpoint by :func:`load_checkpoint_file`.

    This covers ``load_from``, ``resume`` and ``init_cfg``, for local files and
    the schemes of mmengine that download: ``http(s)``, ``torchvision``,
    ``modelzoo``, ``open-mmlab``, ``openmmlab`` and ``mmcls``. Other schemes are
    refused. All other calls of ``torch.load`` in this process, such as timm's,
    and in its children are held to ``weights_only=True`` by torch's own switch,
    the environment variable ``TORCH_FORCE_WEIGHTS_ONLY_LOAD``.
    """
    os.environ.pop('TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD', None)
    os.environ[FORCE_SAFE] = '1'
    ours = {
        '': load_from_safe_file,
        'http://': load_from_safe_http,
        'https://': load_from_safe_http,
        **dict.fromkeys(
            ('torchvision://', 'modelzoo://', 'open-mmlab://', 'openmmlab://',
             'mmcls://'), load_from_safe_name),
    }
    for prefix in {*CheckpointLoader._schemes, *ours}:
        CheckpointLoader.register_scheme(
            prefix, ours.get(prefix, load_from_unknown), force=True)


# mmengine logs these functions' names from the eleventh character on.


def load_from_safe_file(filename: str, map_location: Any = None) -> dict:
    """Read a local checkpoint."""
    return load_checkpoint_file(filename, map_location)


def load_from_safe_http(filename: str, map_location: Any = None) -> dict:
    """Download a checkpoint into torch's cache, unless it is there; read it."""
    folder = osp.join(torch.hub.get_dir(), 'checkpoints')
    path = osp.join(folder, osp.basename(filename.split('?')[0]))
    rank, world_size = get_dist_info()
    if rank == 0 and not osp.isfile(path):
        os.makedirs(folder, exist_ok=True)
        torch.hub.download_url_to_file(filename, path)
    if world_size > 1:
        torch.distributed.barrier()
        if not osp.isfile(path):  # another machine
            os.makedirs(folder, exist_ok=True)
            torch.hub.download_url_to_file(filename, path)
    return load_checkpoint_file(path, map_location)


def load_from_safe_name(filename: str, map_location: Any = None) -> dict:
    """Read weights by their name in torchvision's or one of OpenMMLab's lists."""
    scheme, name = filename.split('://', 1)
    if scheme in ('torchvision', 'modelzoo'):
        urls = get_torchvision_models()
    elif scheme == 'mmcls':
        urls = get_mmcls_models()
    else:
        name = get_deprecated_model_names().get(name, name)
        urls = get_external_models()
    if name not in urls:
        raise ValueError(f'{filename}: no weights of this name are known')
    if '://' not in urls[name]:
        path = osp.join(_get_mmengine_home(), urls[name])
        return load_checkpoint_file(path, map_location)
    checkpoint = load_from_safe_http(urls[name], map_location)
    return _process_mmcls_checkpoint(checkpoint) if scheme == 'mmcls' else checkpoint


def load_from_unknown(filename: str, map_location: Any = None) -> dict:
    """Refuse a scheme whose loader is not known to be safe."""
    raise ValueError(f'{filename} cannot be loaded safely: download it and give '
                     'the path of the file')
