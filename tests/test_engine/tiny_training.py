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
from mmwsss.utils import project_path


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


def demo_config(voc_root, work_dir, name, batch_size=4, **options) -> Config:
    """Four iterations of a demo config, every one checkpointed."""
    cfg = Config.fromfile(project_path('configs', *f'{name}.py'.split('/')))
    cfg.merge_from_dict({
        'experiment_name': uuid.uuid4().hex,
        'visualizer.name': uuid.uuid4().hex,
        'work_dir': str(work_dir),
        'log_level': 'ERROR',
        'default_hooks.checkpoint.interval': 1,
        'default_hooks.checkpoint.max_keep_ckpts': -1,
        'train_cfg.max_iters': 4,
        'train_cfg.val_interval': 100,
        'model.data_preprocessor.size': (64, 64),
        'model.backbone.base_channels': 8,
        # Statistics of a batch differ between one process and two.
        'model.backbone.norm_eval': True,
        'train_dataloader.batch_size': batch_size,
        **options
    })
    cfg.val_dataloader = cfg.val_evaluator = cfg.val_cfg = None
    hooks = cfg.get('custom_hooks') or []
    for user in (dict(dataloader=cfg.train_dataloader), *hooks):
        if 'dataloader' in user:
            loader = user['dataloader']
            loader.update(num_workers=0, persistent_workers=False)
            loader.dataset.data_root = str(voc_root)
    for transform in cfg.train_dataloader.dataset.pipeline:
        if transform['type'] == 'RandomCropPad':
            transform.crop_size = 64
        if transform['type'] == 'RandomResizeLong':
            transform.update(min_long=48, max_long=64)
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
