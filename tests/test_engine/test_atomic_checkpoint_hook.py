# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import os

import pytest
from mmengine.fileio import get_file_backend
from tiny_training import tiny_config, train

from mmwsss.engine import find_resumable_checkpoint, load_checkpoint_file

OPTIONS = {
    'default_hooks.checkpoint.max_keep_ckpts': 2,
    'custom_hooks.0.checkpoint': False,
}


def checkpoints(work_dir) -> list[str]:
    return sorted(n for n in os.listdir(work_dir) if n.endswith('.pth'))


def test_keeps_the_last_ones(tmp_path):
    train(tiny_config(tmp_path, **OPTIONS))
    assert checkpoints(tmp_path) == ['iter_6.pth', 'iter_7.pth']
    assert (tmp_path / 'last_checkpoint').read_text() == str(
        tmp_path / 'iter_7.pth')
    train(tiny_config(
        tmp_path, resume=True, load_from=str(tmp_path / 'iter_6.pth'), **OPTIONS))
    assert checkpoints(tmp_path) == ['iter_6.pth', 'iter_7.pth']


def test_a_kill_leaves_old_or_new(tmp_path, monkeypatch):
    """Stop at every change of a file: what is there is whole and resumable."""

    class Killed(BaseException):
        pass

    steps = []
    for name in ('replace', 'remove', 'unlink'):
        real = getattr(os, name)

        def counted(*args, real=real, **kwargs):
            if str(tmp_path / 'run') in str(args[0]):
                if len(steps) == stop:
                    raise Killed
                steps.append(args)
            return real(*args, **kwargs)

        monkeypatch.setattr(os, name, counted)

    iterations = []
    for stop in range(100):
        run = tmp_path / f'run_{stop}'
        steps.clear()
        try:
            train(tiny_config(run, **OPTIONS))
        except Killed:
            path = find_resumable_checkpoint(run)
            for name in checkpoints(run):
                load_checkpoint_file(run / name)
            if path is not None:
                iterations.append(load_checkpoint_file(path)['meta']['iter'])
        else:
            break
    # Two renames an iteration, and a removal from the third one on.
    assert stop == 7 * 2 + 5
    assert iterations == sorted(iterations) and iterations[-1] == 7


def test_a_resumed_run_removes_what_the_killed_one_could_not(
        tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr('mmengine.fileio.LocalBackend.remove',
                      lambda *args: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            train(tiny_config(tmp_path, **OPTIONS))
    assert checkpoints(tmp_path) == ['iter_1.pth', 'iter_2.pth', 'iter_3.pth']
    train(tiny_config(tmp_path, resume=True, load_from=find_resumable_checkpoint(
        tmp_path), **OPTIONS))
    assert checkpoints(tmp_path) == ['iter_6.pth', 'iter_7.pth']


def test_old_best_goes_when_the_new_one_stands(tmp_path, monkeypatch):
    present = []
    backend = get_file_backend(backend_args=dict(backend='atomic'))
    real = type(backend).put

    def put(self, obj, filepath):
        if 'best_' in os.path.basename(filepath):
            present.append([n for n in checkpoints(tmp_path) if 'best_' in n])
        real(self, obj, filepath)

    monkeypatch.setattr(type(backend), 'put', put)
    _, recorder = train(tiny_config(
        tmp_path, **{
            'default_hooks.checkpoint.save_best': 'score',
            'default_hooks.checkpoint.rule': 'less',
            'train_cfg.val_interval': 1
        }))
    best = min(recorder.scores)
    iteration = recorder.scores.index(best) + 1
    assert [n for n in checkpoints(tmp_path) if 'best_' in n] == [
        f'best_score_iter_{iteration}.pth']
    assert len(present) > 1 and all(len(names) == 1 for names in present[1:])
