# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import os
import os.path as osp
import subprocess
from datetime import timedelta

import torch
from mmengine.config import Config
from mmengine.dist import is_distributed
from torch import distributed

from mmwsss.datasets.image_ids import image_dataset
from mmwsss.utils import read_text
from mmwsss.utils.checkpoint import load_checkpoint_file
from mmwsss.utils.epochs import has_epochs, resolve_epochs
from mmwsss.utils.nested import iter_dicts

from .checkpoint import use_safe_loading

DEFAULT_HOOKS = dict(
    shared_statistics=dict(type='mmseg.SharedStatisticsHook'),
    exact_resume=dict(type='mmseg.ExactResumeHook'),
    checkpoint_match=dict(type='mmseg.CheckpointMatchHook'),
    nan_loss=dict(type='mmseg.NaNLossHook'))


_STARTED_BY = dict(
    pytorch=('torchrun', dict(
        RANK='RANK', WORLD_SIZE='WORLD_SIZE', LOCAL_RANK='LOCAL_RANK')),
    slurm=('srun', dict(
        SLURM_NODELIST='SLURM_NODELIST', RANK='SLURM_PROCID',
        WORLD_SIZE='SLURM_NTASKS', LOCAL_RANK='SLURM_LOCALID')),
    mpi=('mpirun', dict(
        RANK='OMPI_COMM_WORLD_RANK', WORLD_SIZE='OMPI_COMM_WORLD_SIZE',
        LOCAL_RANK='OMPI_COMM_WORLD_LOCAL_RANK')))
"""Launcher -> its program, and what this calls the variables that are needed."""


def setup_entry_point(cfg: Config, launcher: str = 'none') -> None:
    """Prepare the process and the config, at the start of each tool.

    - Checkpoints are loaded safely from here on; see :func:`use_safe_loading`.
    - On a machine without a GPU, ``launcher`` starts gloo, since mmengine's own
      start asks CUDA for a device, and models are wrapped for the CPU.
    - Hooks that every run should have join ``cfg.default_hooks``, unless it has
      them: atomic checkpoints, exact resuming, statistics that all processes
      share, the check of checkpoints and of losses. ``None`` leaves one out:
      ``default_hooks.nan_loss=None``.

    Args:
        cfg (Config): The config, changed in place.
        launcher (str): ``'none'``, ``'pytorch'``, ``'slurm'`` or ``'mpi'``.

    Raises:
        ValueError: If a ``checkpoint_path`` in the model (timm's way to name
            initial weights) is not safe to load, or if the launcher has not started
            this process.
    """
    if launcher in _STARTED_BY and not is_distributed():
        program, names = _STARTED_BY[launcher]
        if missing := [name for name in names.values() if name not in os.environ]:
            raise ValueError(f'--launcher {launcher}: {program} starts the processes, '
                             f'which would set {", ".join(missing)}')
    use_safe_loading()
    cfg.launcher = launcher
    _check_checkpoint_paths(cfg.get('model', {}))
    _add_default_hooks(cfg)
    if launcher != 'none' and not torch.cuda.is_available():
        if not is_distributed():
            _start_gloo(launcher, cfg.get('env_cfg', {}).get('dist_cfg', {}))
        wrapper = cfg.get('model_wrapper_cfg') or dict(
            type='MMDistributedDataParallel',
            broadcast_buffers=False,
            find_unused_parameters=cfg.get('find_unused_parameters', False))
        cfg.model_wrapper_cfg = dict(wrapper, device_ids=None)


def count_epochs(cfg: Config) -> None:
    """Turn ``epochs`` of a config into iterations over its training images.

    Args:
        cfg (Config): The config, changed in place, see
            :func:`mmwsss.utils.epochs.resolve_epochs`.

    Raises:
        ValueError: If ``epochs`` or one of its bounds is no positive number.
    """
    if not has_epochs(cfg):
        return
    images = image_dataset(cfg, cfg.train_dataloader.dataset)
    _, names = _STARTED_BY.get(cfg.get('launcher'), ('', {}))
    processes = os.environ.get(names.get('WORLD_SIZE', ''), '1')
    resolve_epochs(cfg, len(images), int(processes))


def find_resumable_checkpoint(work_dir: str) -> str | None:
    """The checkpoint that a run in this folder wrote last.

    Args:
        work_dir (str): The folder of the run; it may have been moved since.

    Returns:
        str | None: Its path, or None if the run wrote none.

    Raises:
        FileNotFoundError: If the checkpoint named in ``last_checkpoint`` is
            neither where it was written nor in ``work_dir``.
    """
    record = osp.join(work_dir, 'last_checkpoint')
    if not osp.isfile(record):
        return None
    path = read_text(record, 'record').strip()
    moved = osp.join(work_dir, osp.basename(path))
    for candidate in (moved, path):
        if osp.isfile(candidate):
            return candidate
    raise FileNotFoundError(f'{record} names checkpoint {path}, which does not '
                            'exist')


def _check_checkpoint_paths(model: dict) -> None:
    """Read timm's ``checkpoint_path`` files, and those in the ``file`` of a
    ``pretrained_cfg_overlay``: its own errors name no file."""
    for part in iter_dicts(model):
        for path in (part.get('checkpoint_path'), part.get('file')):
            if isinstance(path, str) and path and not path.endswith('.safetensors'):
                load_checkpoint_file(path)


def _add_default_hooks(cfg: Config) -> None:
    hooks = cfg.setdefault('default_hooks', {})
    for name, hook in DEFAULT_HOOKS.items():
        hooks.setdefault(name, hook)
        if hooks[name] is None:
            hooks.pop(name)
    hooks.setdefault('checkpoint', dict(type='CheckpointHook', interval=1))
    checkpoint = hooks['checkpoint']
    if isinstance(checkpoint, dict) and checkpoint.get('type') in (
            'CheckpointHook', 'mmengine.CheckpointHook'):
        checkpoint['type'] = 'mmseg.AtomicCheckpointHook'


def _start_gloo(launcher: str, dist_cfg: dict) -> None:
    """Start torch.distributed on CPUs, from the variables of the launcher."""
    if launcher not in _STARTED_BY:
        raise ValueError(f'unknown launcher {launcher!r}')
    environ = os.environ
    if launcher == 'slurm' and 'MASTER_ADDR' not in environ:
        nodes = ['scontrol', 'show', 'hostname', environ['SLURM_NODELIST']]
        environ['MASTER_ADDR'] = subprocess.check_output(nodes, text=True).split()[0]
    if launcher != 'pytorch':
        environ.setdefault('MASTER_ADDR', '127.0.0.1')
        environ.setdefault('MASTER_PORT', str(dist_cfg.get('port', 29500)))
    _, names = _STARTED_BY[launcher]
    environ.update({name: environ[theirs] for name, theirs in names.items()})
    distributed.init_process_group(
        'gloo', timeout=timedelta(seconds=dist_cfg.get('timeout', 1800)))
