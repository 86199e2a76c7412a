# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""mmengine's loaders of checkpoints, held to :func:`load_checkpoint_file`."""

import os
import os.path as osp
from typing import Any

import torch
from mmengine.dist import get_dist_info
from mmengine.runner import CheckpointLoader
from mmengine.runner.checkpoint import (
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
        'torchvision://': load_from_safe_torchvision,
        'modelzoo://': load_from_safe_torchvision,
        'open-mmlab://': load_from_safe_openmmlab,
        'openmmlab://': load_from_safe_openmmlab,
        'mmcls://': load_from_safe_mmcls,
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


def load_from_safe_torchvision(filename: str,
                               map_location: Any = None) -> dict:
    """Read weights by their torchvision name."""
    url = _look_up(get_torchvision_models(), filename)
    return load_from_safe_http(url, map_location)


def load_from_safe_openmmlab(filename: str, map_location: Any = None) -> dict:
    """Read weights by their name in OpenMMLab's list."""
    name = filename.split('://', 1)[1]
    name = get_deprecated_model_names().get(name, name)
    url = _look_up(get_external_models(), f'open-mmlab://{name}')
    if '://' in url:
        return load_from_safe_http(url, map_location)
    home = os.environ.get('MMENGINE_HOME') or osp.join(
        os.environ.get('XDG_CACHE_HOME', '~/.cache'), 'mmengine')
    return load_checkpoint_file(osp.join(home, url), map_location)


def load_from_safe_mmcls(filename: str, map_location: Any = None) -> dict:
    """Read a backbone by its name in MMClassification's list."""
    url = _look_up(get_mmcls_models(), filename)
    return _process_mmcls_checkpoint(load_from_safe_http(url, map_location))


def load_from_unknown(filename: str, map_location: Any = None) -> dict:
    """Refuse a scheme whose loader is not known to be safe."""
    raise ValueError(f'{filename} cannot be loaded safely: download it and give '
                     'the path of the file')


def _look_up(urls: dict[str, str], filename: str) -> str:
    name = filename.split('://', 1)[1]
    if name not in urls:
        raise ValueError(f'{filename}: no weights of this name are known')
    return urls[name]
