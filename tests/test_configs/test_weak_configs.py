# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Every config of an image-label method loads and builds."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import HOOKS, MODELS, TRANSFORMS

ROOT = Path(__file__).parents[2] / 'configs'
CONFIGS = sorted(
    str(path.relative_to(ROOT)) for method in ('cam', 'esol')
    for path in (ROOT / method).rglob('*.py')
    if not path.stem.endswith('_pipeline'))


def load(name: str) -> Config:
    cfg = Config.fromfile(ROOT / name)
    init_default_scope(cfg.default_scope)
    return cfg


def build(cfg: Config):
    # No download, memory or time for weights that nobody looks at.
    if cfg.model.backbone.get('pretrained'):
        cfg.model.backbone.pretrained = False
    with torch.device('meta'):
        return MODELS.build(cfg.model)


def count(module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize('name', CONFIGS)
def test_config(name):
    cfg = load(name)
    assert 'mmwsss' in cfg.custom_imports.imports
    model = build(cfg)
    classes = cfg.model.decode_head.num_classes
    assert model.decode_head.classifier.out_channels == classes - 1
    for hook in cfg.get('custom_hooks') or []:
        stages = HOOKS.build(hook)
        if hook.type == 'StageSwitchHook':
            assert cfg.train_cfg.max_iters >= stages.ends[-1]
            for stage in stages.stages:
                model.switch_stage(stage['name'])
    for loader in ('train_dataloader', 'val_dataloader', 'seed_dataloader'):
        for transform in cfg[loader].dataset.pipeline:
            assert TRANSFORMS.get(transform['type']) is not None
    assert cfg.train_dataloader.dataset.get('with_masks', False) is False


def test_fingerprint_of_irns_cam_network():
    assert count(build(load('cam/cam_r50_voc.py'))) == 23_548_992


def test_fingerprint_of_esol():
    model = build(load('esol/esol_r50_voc.py'))
    convolutions, offsets = 2 * 37_748_736, 2 * 331_794
    assert count(model) == 23_548_992 + convolutions + offsets


def test_what_irn_trains():
    model = build(load('cam/cam_r50_voc.py'))
    learns = {
        name.split('.')[1]
        for name, p in model.named_parameters() if p.requires_grad
    }
    assert learns == {'layer3', 'layer4', 'classifier'}


def test_published_schedule():
    stages = load('esol/esol_r50_voc.py').custom_hooks[0].stages
    assert [stage.iters for stage in stages] == [3305, 6610, 6610]
    assert [s.optim_wrapper.get('optimizer', {}).get('lr') for s in stages
            ] == [None, 0.01, 0.1]
    stages = load('esol/esol_r50_coco.py').custom_hooks[0].stages
    assert [stage.iters for stage in stages[1:]] == [51730, 51730]
    assert [s.optim_wrapper.optimizer.lr for s in stages[1:]] == [0.001, 0.02]


@pytest.mark.parametrize('name, stages, head', [
    ('wo-dte-fl', ['classify', 'shrink'], dict(clip_ratio=None)),
    ('wo-dte', ['classify', 'shrink'], dict(clip_ratio=0.15)),
    ('wo-fl', ['classify', 'expand', 'shrink'], dict(clip_ratio=None)),
    ('wo-dts-area', ['classify', 'expand', 'shrink'],
     dict(shrink_offsets=False, loss_area=None)),
    ('wo-dts', ['classify', 'expand', 'shrink'], dict(shrink_offsets=False)),
    ('wo-area', ['classify', 'expand', 'shrink'], dict(loss_area=None)),
    ('ascent-wo-dcn', ['classify', 'expand'],
     dict(expand_offsets=False, clip_ratio=None)),
    ('trained-kernel', ['classify', 'expand'],
     dict(expand_trains_kernel=True)),
])
def test_ablations(name, stages, head):
    cfg = load(f'esol/ablations/esol_r50_voc_{name}.py')
    assert [stage.name for stage in cfg.custom_hooks[0].stages] == stages
    decode_head = cfg.model.decode_head
    assert {key: decode_head[key] for key in head} == head
