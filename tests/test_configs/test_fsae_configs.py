# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The configs of FSAE: each is its base, plus two views and one loss."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import HOOKS, MODELS, TRANSFORMS

ROOT = Path(__file__).parents[2] / 'configs'
CONFIGS = sorted(
    str(path.relative_to(ROOT)) for path in (ROOT / 'fsae').rglob('*.py')
    if not path.stem.endswith('_pipeline'))
RECIPES = sorted((ROOT / 'fsae').glob('*_pipeline.py'))


def load(name: str) -> Config:
    cfg = Config.fromfile(ROOT / name)
    init_default_scope(cfg.default_scope)
    return cfg


def pipeline(cfg: Config) -> list[str]:
    return [step.type for step in cfg.train_dataloader.dataset.pipeline]


@pytest.mark.parametrize('name', CONFIGS)
def test_config(name):
    cfg = load(name)
    if cfg.model.backbone.get('pretrained'):
        cfg.model.backbone.pretrained = False
    with torch.device('meta'):
        model = MODELS.build(cfg.model)
    assert type(model).__name__ == 'FSAEWeakSegmentor'
    assert model.stage in (model.stages or [None])
    for hook in cfg.get('custom_hooks') or []:
        HOOKS.build(hook)
    assert pipeline(cfg)[-3:] == ['RandomCropPad', 'StrongView', 'PackWeakInputs']
    for transform in cfg.train_dataloader.dataset.pipeline:
        TRANSFORMS.build(transform)
    # Masks of training photos are read to measure accuracy and for no loss.
    with_masks = cfg.train_dataloader.dataset.get('with_masks', False)
    assert with_masks == ('LoadMask' in pipeline(cfg)) == ('fig6' in name)


@pytest.mark.parametrize('path', RECIPES, ids=lambda path: path.stem)
def test_recipe(path):
    recipe = Config.fromfile(path)
    for name in (recipe.localizer, recipe.segmentor):
        assert Path(name).exists(), name
    assert Path(recipe.localizer).parent.name == 'fsae'
    assert any(step.name == 'train_segmentor' for step in recipe.steps)


@pytest.mark.parametrize('name', ['cam_mobilenetv1_animals',
                                  'esol_mobilenetv1_animals'])
def test_differs_from_its_base_only_by_fsae(name):
    ours = load(f'fsae/fsae_{name}.py')
    base = load(f'{name.split("_")[0]}/{name}.py')
    assert (ours.train_cfg, ours.optim_wrapper, ours.param_scheduler) == (
        base.train_cfg, base.optim_wrapper, base.param_scheduler)
    assert [step for step in pipeline(ours) if step != 'StrongView'] == (
        pipeline(base))
    for key in set(ours.model) - {'type', 'loss_fsae', 'stages'}:
        assert ours.model[key] == base.model[key], key


def test_published_values():
    cfg = load('fsae/fsae_cam_r50_voc.py')
    loss = MODELS.build(cfg.model.loss_fsae)
    assert (loss.threshold, loss.ring_threshold, loss.kernel_size,
            loss.loss_weight) == (0.95, 0.8, 3, 1.)
    view = TRANSFORMS.build(cfg.train_dataloader.dataset.pipeline[-2])
    assert (view.num_ops, len(view.ops)) == (3, 9)
    assert cfg.optim_wrapper.optimizer.lr == 0.05
    assert cfg.train_cfg.max_iters == 2 * 3305
    coco = load('fsae/fsae_cam_r50_coco.py').custom_hooks[0]
    assert (coco.type, coco.momentum) == ('EMAPseudoLabelHook', 0.001)


@pytest.mark.parametrize('name, values', [
    ('base', dict(threshold=1.1)),
    ('fae', dict(kernel_size=1)),
    ('tau-fae-80', dict(threshold=0.8, kernel_size=1)),
    ('tau-fae-85', dict(threshold=0.85, kernel_size=1)),
    ('tau-fae-90', dict(threshold=0.9, kernel_size=1)),
    ('tau-fae-99', dict(threshold=0.99, kernel_size=1)),
    ('k-5', dict(kernel_size=5)),
    ('k-7', dict(kernel_size=7)),
    ('tau-sae-00', dict(ring_threshold=0.)),
    ('tau-sae-60', dict(ring_threshold=0.6)),
    ('tau-sae-70', dict(ring_threshold=0.7)),
    ('tau-sae-90', dict(ring_threshold=0.9)),
])
def test_ablations_of_the_loss(name, values):
    cfg = load(f'fsae/ablations/fsae_cam_r50_voc_{name}.py')
    assert cfg.model.loss_fsae == dict(type='FSAELoss', **values)


@pytest.mark.parametrize('count', [1, 5, 7])
def test_ablations_of_the_view(count):
    cfg = load(f'fsae/ablations/fsae_cam_r50_voc_ops-{count}.py')
    assert cfg.train_dataloader.dataset.pipeline[-2].num_ops == count
