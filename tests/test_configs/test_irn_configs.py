# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Every config of IRN loads and builds."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmseg.registry import HOOKS, MODELS, TRANSFORMS

from mmwsss.pipeline.recipe import Recipe
from mmwsss.utils import read_config

ROOT = Path(__file__).parents[2] / 'configs'
CONFIGS = sorted(path.name for path in (ROOT / 'irn').glob('*.py')
                 if not path.stem.endswith('_pipeline'))
RECIPES = sorted([*(ROOT / 'irn').glob('*_pipeline.py'),
                  *(ROOT / 'esol').glob('esol_irn_*_pipeline.py')])


@pytest.mark.parametrize('name', CONFIGS)
def test_config(name):
    cfg = Config.fromfile(ROOT / 'irn' / name)
    assert 'mmwsss' in cfg.custom_imports.imports
    if cfg.model.backbone.get('pretrained'):
        cfg.model.backbone.pretrained = False
    with torch.device('meta'):
        model = MODELS.build(cfg.model)
    # What the heads read is what the backbone gives.
    size = cfg.train_pipeline[-2].crop_size
    assert tuple(cfg.model.data_preprocessor.size) == tuple(size)
    with torch.no_grad():
        feats = model.extract_feat(torch.rand(1, 3, *size, device='meta'))
        logits, field = model.decode_head(feats), model.auxiliary_head(feats)
    grid = tuple(side // 4 for side in size)
    assert logits.shape == (1, 1, *grid) and field.shape == (1, 2, *grid)
    hook = HOOKS.build(cfg.custom_hooks[0])
    assert hook.crop_size == size[0]
    # PolyLR ends one step late.
    assert cfg.param_scheduler.end == cfg.train_cfg.max_iters + 1
    for loader in ('train_dataloader', 'seed_dataloader'):
        for transform in cfg[loader].dataset.pipeline:
            assert TRANSFORMS.get(transform['type']) is not None
    assert MODELS.build(cfg.walk).threshold == 0.25


def test_data_root_reaches_the_mean_shift():
    path = str(ROOT / 'irn' / 'irn_r50_voc.py')
    cfg = read_config(path, dict(data_root='elsewhere'))
    assert cfg.custom_hooks[0].dataloader.dataset.data_root == 'elsewhere'


def test_published_schedule():
    cfg = Config.fromfile(ROOT / 'irn' / 'irn_r50_voc.py')
    assert cfg.train_dataloader.batch_size * cfg.train_cfg.max_iters == 3 * 10560
    model = MODELS.build(
        dict(cfg.model, backbone=dict(cfg.model.backbone, init_cfg=None)))
    from mmengine.optim import build_optim_wrapper
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    rates = {
        id(parameter): group['lr']
        for group in wrapper.optimizer.param_groups for parameter in group['params']
    }
    assert rates[id(model.decode_head.fuse.weight)] == 0.1
    assert rates[id(model.auxiliary_head.field.weight)] == 1.
    assert id(model.backbone.conv1.weight) not in rates


@pytest.mark.parametrize('path', RECIPES, ids=lambda path: path.stem)
def test_recipe(path, tmp_path):
    recipe = Recipe(str(path), str(tmp_path))
    steps = {step.name: step for step in recipe.steps}
    # On COCO only the last stage makes seeds.
    each_stage = 'esol' in path.name and 'coco' not in path.name
    seeds = 'seeds_shrink' if each_stage else 'seeds'
    method = 'esol' if 'esol' in path.name else 'cam'
    assert Path(recipe.variables['localizer']).name.startswith(method)
    assert steps['walk'].spec['seeds'] == f'{{{seeds}}}'
    assert steps['affinity_labels'].spec['seeds'] == f'{{{seeds}}}'
    assert steps['pseudo_labels'].spec['seeds'] == '{walk}/seeds'
    order = list(steps)
    assert order.index(seeds) < order.index('affinity_labels') < order.index(
        'train_irn') < order.index('walk') < order.index('train_segmentor')
