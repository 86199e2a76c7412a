# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Every config of single-stage segmentation loads and builds."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmseg.registry import HOOKS, METRICS, MODELS, TRANSFORMS

from mmwsss.engine.optimizers import WeakOptimWrapperConstructor
from mmwsss.pipeline import Recipe

ROOT = Path(__file__).parents[2] / 'configs' / 'single_stage'
CONFIGS = sorted(
    str(path.relative_to(ROOT)) for path in ROOT.rglob('*.py')
    if not path.stem.endswith('_pipeline'))


def load(name: str) -> Config:
    return Config.fromfile(ROOT / name)


def build(cfg: Config):
    # No download, memory or time for weights that nobody looks at.
    if cfg.model.backbone.get('pretrained'):
        cfg.model.backbone.pretrained = False
    with torch.device('meta'):
        return MODELS.build(cfg.model)


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
            assert cfg.train_cfg.max_iters == stages.ends[-1]
            for stage in stages.stages:
                model.switch_stage(stage['name'])
    for loader in ('train', 'val', 'test', 'seed'):
        dataset = cfg[f'{loader}_dataloader'].dataset
        for transform in dataset.pipeline:
            assert TRANSFORMS.get(transform['type']) is not None
        if loader == 'train':
            assert dataset.get('with_masks', False) is False
            assert dataset.label_file
    METRICS.build(cfg.val_evaluator)
    MODELS.build(dict(cfg.tta_model, module=model))
    if 'label_rule' in cfg:
        MODELS.build(cfg.label_rule)


@pytest.mark.parametrize('name, total, trained, groups', [
    ('wide-r38', 137_973_172, 137_104_500,
     {1: (35, 104_202_240), 10: (26, 32_899_120), 20: (13, 3_140)}),
    ('vgg16', 30_579_636, 30_540_916,
     {1: (13, 20_439_040), 2: (13, 6_144),
      10: (26, 10_092_592), 20: (13, 3_140)}),
    ('r50', 41_205_940, 41_143_412,
     {1: (52, 23_445_504), 10: (26, 17_694_768)}),
    ('r101', 60_198_068, 60_083_316,
     {1: (103, 42_385_408), 10: (26, 17_694_768)}),
])
def test_fingerprints(name, total, trained, groups):
    """Numbers of parameters and optimizer groups of the official networks."""
    cfg = load(f'single_stage_{name}_voc.py')
    model = build(cfg)
    assert sum(p.numel() for p in model.parameters()) == total
    settings = cfg.optim_wrapper.to_dict()
    settings.pop('constructor')
    paramwise = settings.pop('paramwise_cfg')
    wrapper = WeakOptimWrapperConstructor(settings, paramwise)(model)
    found = {}
    for group in wrapper.optimizer.param_groups:
        factor = round(group['lr'] / cfg.optim_wrapper.optimizer.lr)
        numel = sum(p.numel() for p in group['params'])
        found[factor, group['weight_decay'] > 0] = (len(group['params']), numel)
    for factor, numbers in groups.items():
        assert found[factor, factor not in (2, 20)] == numbers
    assert sum(numel for _, numel in found.values()) == trained


@pytest.mark.parametrize('name, head', [
    ('focal-p5-l0.1', dict(focal_p=5., focal_lambda=0.1)),
    ('wo-penalty', dict(focal_lambda=None)),
    ('wo-pamr', dict(refiner=None, gate=dict(rate=0.5))),
    ('wo-gate', dict(gate=None)),
    ('wo-cues', dict(cues=None)),
    ('gate-deterministic', dict(gate=dict(deterministic=True))),
])
def test_ablations(name, head):
    cfg = load(f'ablations/single_stage_wide-r38_voc_{name}.py')
    decode_head = cfg.model.decode_head
    assert {key: decode_head[key] for key in head} == head


def test_published_schedule():
    """Epochs of 661 iterations: 25, 21, 21 and 33, the first five without
    pixel loss."""
    for name, epochs, rate in (('wide-r38', 25, 1e-3), ('r50', 21, 5e-4),
                               ('r101', 21, 1e-3), ('vgg16', 33, 1e-3)):
        cfg = load(f'single_stage_{name}_voc.py')
        iters = [stage.iters for stage in cfg.custom_hooks[0].stages]
        assert iters == [5 * 661, (epochs - 5) * 661]
        assert cfg.optim_wrapper.optimizer.lr == rate


@pytest.mark.parametrize('name', ['demo', 'mobilenetv1_animals', 'wide-r38_voc'])
def test_pipelines(name):
    recipe = Recipe(str(ROOT / f'single_stage_{name}_pipeline.py'))
    steps = [step.name for step in recipe.steps]
    assert 'pseudo_labels' in steps and steps[-1] == 'report'
