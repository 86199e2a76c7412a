# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import os.path as osp
from collections.abc import Iterable
from typing import Any

from mmengine.dist import is_main_process
from mmengine.fileio import LocalBackend, register_backend
from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from mmwsss.utils import atomic_write


@register_backend('atomic', force=True)
class AtomicLocalBackend(LocalBackend):
    """Local files that are either whole or absent.

    Whatever mmengine writes with ``backend_args=dict(backend='atomic')`` goes to
    a temporary file first, which then takes the name.
    """

    def put(self, obj: bytes, filepath: str) -> None:
        """Write bytes; see :func:`mmwsss.utils.atomic_write`."""
        with atomic_write(filepath, 'wb') as file:
            file.write(obj)

    def put_text(self,
                 obj: str,
                 filepath: str,
                 encoding: str = 'utf-8') -> None:
        """Write text; see :func:`mmwsss.utils.atomic_write`."""
        self.put(obj.encode(encoding), filepath)


_OUTDATED = 'outdated_ckpt_ids'


def note_last_checkpoint(runner: Runner, path: str) -> None:
    """Say which checkpoint a resumed run of this folder goes on from."""
    if is_main_process():
        last = osp.join(runner.work_dir, 'last_checkpoint')
        with atomic_write(last, 'w') as file:
            file.write(path)


@HOOKS.register_module()
class AtomicCheckpointHook(CheckpointHook):
    """``CheckpointHook`` that leaves a whole checkpoint whenever it is killed.

    mmengine writes checkpoints and ``last_checkpoint`` in place, and removes an
    outdated one before its successor is written. Here all are written under a
    temporary name and renamed, and the old one goes when the new one stands.
    This is a hook rather than a changed ``torch.save``, so that a config says
    what happens; the writing itself is mmengine's, by its ``backend_args``.

    Args:
        *args: Arguments of :class:`mmengine.hooks.CheckpointHook`.
        backend_args (dict, optional): As there. Defaults to
            ``dict(backend='atomic')``; give another for a remote ``out_dir``.
        **kwargs: Arguments of :class:`mmengine.hooks.CheckpointHook`.
    """

    file_backend: Any  # set in `before_train`, by mmengine

    def __init__(self,
                 *args,
                 backend_args: dict | None = None,
                 **kwargs) -> None:
        if backend_args is None:
            backend_args = dict(backend='atomic')
        super().__init__(*args, backend_args=backend_args, **kwargs)

    def before_train(self, runner: Runner) -> None:
        """Remove what a killed run was about to remove."""
        super().before_train(runner)
        outdated = runner.message_hub.runtime_info.get(_OUTDATED, [])
        if is_main_process():
            self._remove(self._path(step) for step in outdated
                         if isinstance(step, int))

    def _save_checkpoint_with_step(self, runner: Runner, step: int,
                                   meta: dict) -> None:
        outdated = []
        if self.max_keep_ckpts > 0 and step not in self.keep_ckpt_ids:
            if len(self.keep_ckpt_ids) == self.max_keep_ckpts:
                outdated.append(self.keep_ckpt_ids.popleft())
            self.keep_ckpt_ids.append(step)
            runner.message_hub.update_info('keep_ckpt_ids',
                                           list(self.keep_ckpt_ids))
        runner.message_hub.update_info(_OUTDATED, outdated)
        self.last_ckpt = self._path(step)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        runner.save_checkpoint(
            self.out_dir,
            self.filename_tmpl.format(step),
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=self.by_epoch,
            backend_args=self.backend_args,
            **self.args)
        note_last_checkpoint(runner, self.last_ckpt)
        if is_main_process():
            self._remove(map(self._path, outdated))

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        outdated: list[str] = []
        # mmengine removes the old best one first; here that is only noted.
        self.file_backend.remove = outdated.append
        try:
            super()._save_best_checkpoint(runner, metrics)
        finally:
            del self.file_backend.remove
        best = [getattr(self, 'best_ckpt_path', None)]
        best += getattr(self, 'best_ckpt_path_dict', {}).values()
        self._remove(path for path in outdated if path not in best)

    def _path(self, step: int) -> str:
        return self.file_backend.join_path(self.out_dir,
                                           self.filename_tmpl.format(step))

    def _remove(self, paths: Iterable[str]) -> None:
        for path in paths:
            if self.file_backend.isfile(path):
                self.file_backend.remove(path)
