# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Trainings that last milliseconds, and what they have in common."""

import os
import random
import socket
import uuid
from collections.abc import Callable

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner
from mmseg.registry import DATASETS, METRICS, MODELS, TRANSFORMS
from mmseg.structures import SegDataSample
from torch import multiprocessing, nn

import mmwsss  # noqa: F401
from mmwsss.engine import setup_entry_point


@DATASETS.register_module()
class TinyDataset(BaseDataset):
    """Images that are all their index."""

    METAINFO = dict(classes=('background', 'thing'))

    def __init__(self, num_samples: int = 10, **kwargs) -> None:
        self.num_samples = num_samples
        super().__init__(serialize_data=False, **kwargs)

    def load_data_list(self) -> list[dict]:
        return [dict(img_id=f'photo_{i}') for i in range(self.num_samples)]


@TRANSFORMS.register_module()
class TinyAugment:
    """An image out of all three random generators."""

    def __init__(self, noise: bool = True) -> None:
        self.noise = noise

    def __call__(self, results: dict) -> dict:
        image = torch.full((3, 4, 4), float(results['sample_idx']))
        if self.noise:
            image += torch.rand(3, 4, 4) + random.random() + np.random.rand()
        sample = SegDataSample(metainfo=dict(img_id=results['img_id']))
        return dict(inputs=image / 10, data_samples=sample)


@MODELS.register_module()
class TinyModel(BaseModel):
    """A convolution that learns at first and a classifier that learns then."""

    STAGES = dict(first='conv', second='head', both='')

    def __init__(self, dropout: float = 0., norm: bool = False,
                 nan_at: str = '') -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4) if norm else nn.Identity()
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(4, 1)
        self.nan_at = nan_at
        self.stage = 'both'

    def switch_stage(self, stage: str) -> None:
        self.stage = stage
        for name, parameter in self.named_parameters():
            parameter.requires_grad_(name.startswith(self.STAGES[stage]))

    def forward(self, inputs, data_samples=None, mode='tensor'):
        x = self.dropout(self.norm(self.conv(torch.stack(list(inputs)))))
        score = self.head(x.mean(dim=(2, 3)))[:, 0]
        if mode == 'loss':
            loss = (score - 1).square().mean()
            if self.nan_at in [sample.img_id for sample in data_samples]:
                loss = loss * float('nan')
            return dict(loss=loss)
        return list(score)


@METRICS.register_module()
class TinyMetric(BaseMetric):
    """The mean score."""

    def process(self, data_batch: dict, data_samples: list) -> None:
        self.results.extend(float(score) for score in data_samples)

    def compute_metrics(self, results: list) -> dict:
        return dict(score=np.float64(np.mean(results)))


class Recorder(Hook):
    """Note what happens in a training."""

    priority = 'VERY_LOW'

    def __init__(self) -> None:
        self.losses: dict[int, float] = {}
        self.rates: dict[int, float] = {}
        self.validated: list[tuple[int, str]] = []
        self.scores: list[float] = []

    def before_train_iter(self, runner, batch_idx, data_batch=None) -> None:
        self.rates[runner.iter] = runner.optim_wrapper.param_groups[0]['lr']

    def after_train_iter(self, runner, batch_idx, data_batch=None,
                         outputs=None) -> None:
        self.losses[runner.iter] = outputs['loss'].item()

    def after_val_epoch(self, runner, metrics=None) -> None:
        model = getattr(runner.model, 'module', runner.model)
        self.validated.append((runner.iter, getattr(model, 'stage', None)))
        self.scores.append(metrics.get('score'))


def tiny_config(work_dir, stages=None, workers=0, batch_size=2, **options):
    """A config of two stages; ``options`` override by dotted keys."""
    if stages is None:
        stages = [
            dict(name='first', iters=3),
            dict(
                name='second',
                iters=4,
                optim_wrapper=dict(optimizer=dict(lr=0.5)),
                param_scheduler=dict(type='ConstantLR', factor=0.5, end=2))
        ]

    def loader(noise: bool = False, **kwargs) -> dict:
        return dict(
            batch_size=batch_size,
            num_workers=workers if noise else 0,
            dataset=dict(
                type='TinyDataset',
                pipeline=[
                    dict(type='SetRandomState'),
                    dict(type='TinyAugment', noise=noise)
                ]),
            **kwargs)

    cfg = Config(
        dict(
            custom_imports=dict(
                imports=['mmwsss', 'tiny_training'],
                allow_failed_imports=False),
            default_scope='mmseg',
            experiment_name=uuid.uuid4().hex,
            work_dir=str(work_dir),
            model=dict(type='TinyModel'),
            train_dataloader=loader(
                noise=True, sampler=dict(type='ReproducibleInfiniteSampler')),
            val_dataloader=loader(
                sampler=dict(type='DefaultSampler', shuffle=False)),
            val_evaluator=dict(type='TinyMetric'),
            val_cfg=dict(),
            test_dataloader=loader(
                sampler=dict(type='DefaultSampler', shuffle=False)),
            test_evaluator=dict(type='TinyMetric'),
            test_cfg=dict(),
            train_cfg=dict(
                type='IterBasedTrainLoop', max_iters=7, val_interval=100),
            optim_wrapper=dict(
                optimizer=dict(type='SGD', lr=0.2, momentum=0.9)),
            param_scheduler=dict(type='PolyLR', power=0.9),
            custom_hooks=[dict(type='StageSwitchHook', stages=stages)]
            if stages else [],
            default_hooks=dict(
                checkpoint=dict(
                    type='CheckpointHook', by_epoch=False, interval=1),
                logger=dict(type='LoggerHook', log_metric_by_epoch=False)),
            log_processor=dict(by_epoch=False),
            log_level='ERROR',
            randomness=dict(seed=3)))
    cfg.merge_from_dict(options)
    return cfg


def train(cfg: Config, launcher: str = 'none') -> tuple[Runner, Recorder]:
    """Train in this process, with notes."""
    setup_entry_point(cfg, launcher)
    runner = Runner.from_cfg(cfg)
    recorder = Recorder()
    runner.register_hook(recorder)
    runner.train()
    # Workers that wait for the garbage collector hang for ten seconds.
    del runner.train_loop.dataloader_iterator
    return runner, recorder


def models(runner: Runner) -> list[nn.Module]:
    """The model and, where it has one, its teacher."""
    teacher, = getattr(runner.model, '_teacher', (None, ))
    return [runner.model] + [teacher] * (teacher is not None)


def assert_continued(resumed: tuple, unbroken: tuple, iteration: int) -> None:
    """A run from an iteration on did as the unbroken run; each a pair of train."""
    (runner, notes), (whole, recorder) = resumed, unbroken
    for kind in ('losses', 'rates'):
        assert getattr(notes, kind) == {
            k: v for k, v in getattr(recorder, kind).items() if k >= iteration}
    for one, other in zip(models(runner), models(whole), strict=True):
        state = one.state_dict()
        for key, value in other.state_dict().items():
            assert torch.equal(state[key], value), key


def in_two_processes(run: Callable[[], None]) -> None:
    """Call ``run`` in two processes, as a launcher starts them."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    multiprocessing.start_processes(
        _run_as, (port, run), nprocs=2, start_method='fork')


def _run_as(rank: int, port: int, run: Callable[[], None]) -> None:
    torch.set_num_threads(1)
    os.environ.update(
        RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE='2',
        MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port))
    run()
    torch.distributed.destroy_process_group()
