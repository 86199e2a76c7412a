# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""What is special in the training of one method."""

import pytest
import torch
from method_training import STAGES, esol_config, method_config
from tiny_training import train

from mmwsss.engine import load_checkpoint_file


def config(name, *args, validate=False, **options):
    if name == 'esol':
        return esol_config(*args, **options)
    # The statistics of the norms are part of what a checkpoint must hold.
    return method_config(name, *args, validate=validate, **{
        'model.backbone.norm_eval': False, **options})


@pytest.fixture(scope='module')
def unbroken(voc_root, tmp_path_factory):
    """The folder, runner and notes of a method's unbroken run."""
    done = {}

    def run(name):
        if name not in done:
            work_dir = tmp_path_factory.mktemp(name.replace('/', '_'))
            done[name] = (work_dir, *train(
                config(name, voc_root, work_dir, validate=True)))
        return done[name]

    return run


def test_esol_runs_through_all_stages(unbroken):
    work_dir, _, recorder = unbroken('esol')
    assert recorder.validated == list(zip((2, 4, 6), STAGES, strict=True))
    states = [
        load_checkpoint_file(work_dir / f'stage_{name}.pth')['state_dict']
        for name in STAGES
    ]
    for before, after, branch in ((states[0], states[1], 'conv_1.conv_offset'),
                                  (states[1], states[2], 'conv_2.conv_offset')):
        changed = {k for k in after if not torch.equal(before[k], after[k])}
        assert changed and all(branch in key for key in changed)


def test_irn_measures_the_mean_displacement(unbroken):
    """In time for the last checkpoint."""
    state = load_checkpoint_file(unbroken('irn/irn_demo')[0] / 'iter_4.pth')
    assert state['state_dict']['auxiliary_head.running_mean'].abs().sum() > 0


def test_sance_scores_seeds(unbroken):
    """The curve of Figure 5."""
    _, runner, _ = unbroken('sance/sance_demo')
    scalars = runner.message_hub.log_scalars
    assert 0 <= scalars['val/seed/mIoU'].current() <= 100


def test_sances_workers_refine_as_this_process_does(voc_root, unbroken, tmp_path):
    losses = [
        train(config('sance/sance_demo', voc_root, tmp_path / str(jobs), **{
            'model.refine_by': 'crf', 'model.crf_jobs': jobs}))[1].losses
        for jobs in (0, 1)]
    assert losses[0] == losses[1] != unbroken('sance/sance_demo')[2].losses


def test_fsae_scalars(unbroken):
    _, runner, _ = unbroken('fsae/fsae_cam_demo')
    scalars = runner.message_hub.log_scalars
    loss = scalars['train/loss_fsae']._log_history
    assert len(loss) == 3 and (loss > 0).any()
    for name in ('covered', 'ring', 'background'):
        values = scalars[f'train/fsae.{name}']._log_history
        assert len(values) == 3 and 0 <= values.min() <= values.max() <= 1


def test_fsae_with_a_threshold_above_one_trains_the_base(voc_root, tmp_path):
    """Its strong view draws no number that the rest would have drawn."""
    name = 'fsae/fsae_cam_demo'
    off, _ = train(config(name, voc_root, tmp_path / 'off', teacher=False,
                          **{'model.loss_fsae.threshold': 1.01}))
    base = config(name, voc_root, tmp_path / 'base', teacher=False)
    base.model.type = 'WeakSegmentor'
    for key in ('loss_fsae', 'start_iter'):
        base.model.pop(key)
    del base.train_dataloader.dataset.pipeline[-2]
    base, _ = train(base)
    for key, value in base.model.state_dict().items():
        assert torch.equal(off.model.state_dict()[key], value), key


def test_single_stage_learns_from_its_teacher(voc_root, unbroken, tmp_path):
    name = 'single_stage/single_stage_demo'
    _, runner, recorder = unbroken(name)
    assert recorder.validated == [(2, 'pretrain'), (4, 'self_train')]
    scalars = runner.message_hub.log_scalars
    assert len(scalars['train/decode.loss_mask']._log_history) == 2
    assert 0 < scalars['train/decode.decided']._log_history[-1] <= 1
    teacher, = runner.model._teacher
    assert teacher.stage == 'self_train' and not teacher.training
    plain, _ = train(config(name, voc_root, tmp_path, teacher=False))
    state = plain.model.state_dict()
    assert any(not torch.equal(state[key], value)
               for key, value in runner.model.state_dict().items())
