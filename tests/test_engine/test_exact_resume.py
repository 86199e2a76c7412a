# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Every method, resumed after each of its iterations, goes on as the unbroken run.

The methods are the demo configs of ``configs/`` and ``projects/``; a new one is
tested by being there. All that a resumed training reads from a checkpoint is compared
to the last bit, after each iteration that follows.

    python -m pytest tests/test_engine/test_exact_resume.py   # in two processes, some
    MMWSSS_RESUME=all python -m pytest ...                    # in two processes, all
"""

import os
import shutil
import uuid
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.dist import barrier, is_main_process
from run_content import checkpoint_content, differences, scalars_content
from tiny_training import in_two_processes, tiny_config, train

from mmwsss.utils import project_path
from mmwsss.utils.nested import iter_dicts

ROOT = Path(project_path('configs')).parent
DEMOS = [
    path for pattern in ('configs/*/*_demo.py', 'projects/*/configs/*_demo.py')
    for path in sorted(ROOT.glob(pattern))
]
METHODS = {path.stem.removesuffix('_demo'): str(path) for path in DEMOS}
# It trains nothing.
del METHODS['clip_es']
# Methods that a slow copy of the model can teach.
TAUGHT = ('fsae_cam', 'fsae_esol', 'single_stage')
CASES = [*METHODS, *(f'{name} with a teacher' for name in TAUGHT)]
# One of each kind: stages, statistics, online labels, a teacher.
IN_TWO = CASES if os.environ.get('MMWSSS_RESUME') == 'all' else (
    'esol', 'irn', 'sance', 'single_stage with a teacher')
ITERATIONS = 2


def method_of(case, voc_root, work_dir, batch_size=2, **options) -> Config:
    """A few iterations of each stage of a method, each with a checkpoint."""
    name = case.removesuffix(' with a teacher')
    cfg = Config.fromfile(METHODS[name])
    cfg.merge_from_dict({
        'experiment_name': uuid.uuid4().hex, 'visualizer.name': uuid.uuid4().hex,
        'work_dir': str(work_dir), 'log_level': 'ERROR',
        'default_hooks.checkpoint.interval': 1,
        'default_hooks.checkpoint.max_keep_ckpts': -1,
        'train_cfg.max_iters': 2 * ITERATIONS, 'train_cfg.val_interval': ITERATIONS,
        'train_dataloader.batch_size': batch_size, **options})
    for part in iter_dicts(cfg._cfg_dict):
        if 'num_workers' in part:
            part.update(num_workers=0, persistent_workers=False)
        if 'data_root' in part:
            part.update(data_root=str(voc_root), serialize_data=False)
        # A quarter of the network's width, on the upper left of an image.
        for key in ('base_channels', 'stem_channels', 'in_channels', 'embed_dim'):
            if key in part:
                part[key] = [n // 4 for n in part[key]] if isinstance(
                    part[key], (list, tuple)) else part[key] // 4
        for key in ('size', 'crop_size', 'scale'):
            if part.get(key) == (96, 96):
                part[key] = (64, 64)
        if part.get('type') == 'StageSwitchHook':
            for stage in part['stages']:
                stage['iters'] = ITERATIONS * (1 + (len(part['stages']) == 1))
        # What begins later in a training begins amid this one.
        if 'start_iter' in part:
            part['start_iter'] = 1
        if part.get('type') == 'FSAELoss':
            part.update(threshold=0.5, ring_threshold=0.4)
    if cfg.get('val_dataloader'):
        cfg.val_dataloader.dataset.indices = 1
    # The masks stand in for labels of seeds and for saliency.
    prefixes = cfg.train_dataloader.dataset.data_prefix
    prefixes.update({key: 'SegmentationClass' for key in prefixes
                     if key != 'img_path'})
    if 'words' in cfg and 'load_from' not in options:
        cfg.load_from = clip_of(cfg, work_dir)
    if case != name:
        hook = dict(type='EMAPseudoLabelHook', momentum=0.2)
        cfg.custom_hooks = [*(cfg.get('custom_hooks') or ()), hook]
    return cfg


def clip_of(cfg, work_dir) -> str:
    """The same random CLIP with the config's words, in each process."""
    pytest.importorskip('open_clip')
    from projects.clip_es.convert import make_state_dict
    torch.manual_seed(0)
    path = f'{work_dir}_{os.getpid()}.pth'
    torch.save(dict(state_dict=make_state_dict(cfg, 'random')[0]), path)
    return path


def resume_everywhere(case, voc_root, folder, launcher='none', batch_size=2):
    """Train unbroken, then from each checkpoint on; say where this differs."""
    whole = folder / 'whole'
    runner, recorder = train(
        method_of(case, voc_root, whole, batch_size), launcher)
    end, found = runner.iter, []
    # One process writes, and is the last to be done.
    barrier()
    assert len(set(recorder.losses.values())) == len(recorder.losses) == end
    names = [f'iter_{i}.pth' for i in range(1, end + 1)]
    names += sorted(path.name for path in whole.glob('stage_*.pth'))
    expected = {name: checkpoint_content(whole / name) for name in names}
    for start in range(1, end + 1):
        resumed = folder / f'from_{start}'
        again, notes = train(method_of(
            case, voc_root, resumed, batch_size, resume=True,
            load_from=str(whole / f'iter_{start}.pth')), launcher)
        barrier()
        assert notes.losses == {
            k: v for k, v in recorder.losses.items() if k >= start}
        assert notes.rates == {
            k: v for k, v in recorder.rates.items() if k >= start}
        assert notes.validated == [
            (k, stage) for k, stage in recorder.validated if k >= start]
        if is_main_process():
            # The others resume the first one's.
            found += differences(
                *(scalars_content(run.message_hub.log_scalars)
                  for run in (runner, again)), f'{case} from {start}')
        written = sorted(path.name for path in resumed.glob('*.pth'))
        assert written == sorted(
            name for name in names if expected[name]['meta']['iter'] > start
            or name.startswith('stage') and expected[name]['meta']['iter'] == start)
        for name in written:
            found += differences(expected[name], checkpoint_content(resumed / name),
                                 f'{case} from {start}: {name}')
        barrier()
        if is_main_process():
            shutil.rmtree(resumed)
    assert not found, found
    return end


def test_every_demo_has_a_name_of_its_own():
    assert len({path.stem for path in DEMOS}) == len(DEMOS)


@pytest.mark.parametrize('case', CASES)
def test_resumed_equals_unbroken(voc_root, tmp_path, monkeypatch, case):
    monkeypatch.syspath_prepend(str(ROOT))
    iterations = resume_everywhere(case, voc_root, tmp_path)
    assert iterations >= 2 * ITERATIONS


@pytest.mark.parametrize('case', IN_TWO)
def test_resumed_equals_unbroken_in_two_processes(
        voc_root, tmp_path, monkeypatch, case):
    monkeypatch.syspath_prepend(str(ROOT))
    in_two_processes(
        lambda: resume_everywhere(case, voc_root, tmp_path, 'pytorch'))


def test_other_number_of_processes_is_said(tmp_path, capfd):
    """What two processes began goes on in one, but not as the unbroken run."""
    options = dict(log_level='WARNING')
    in_two_processes(lambda: train(
        tiny_config(tmp_path / 'two', batch_size=2), 'pytorch'))
    said = 'written by 2 processes with batches of 2'
    for batch_size in (2, 4):
        capfd.readouterr()
        train(tiny_config(
            tmp_path / f'one_{batch_size}', batch_size=batch_size, resume=True,
            load_from=str(tmp_path / 'two' / 'iter_2.pth'), **options))
        text = ' '.join(capfd.readouterr())
        assert f'{said}, and this is 1 process with batches of {batch_size}' in text
        assert 'not exact' in text
        assert ('seen twice or left out' in text) == (batch_size == 2)
    capfd.readouterr()
    train(tiny_config(
        tmp_path / 'same', batch_size=4, resume=True,
        load_from=str(tmp_path / 'one_4' / 'iter_3.pth'), **options))
    assert 'not exact' not in ' '.join(capfd.readouterr())
