# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Every config of PSA and SEAM loads and builds."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS, TRANSFORMS

ROOT = Path(__file__).parents[2] / 'configs'
CONFIGS = sorted(
    str(path.relative_to(ROOT)) for method in ('psa', 'seam')
    for path in (ROOT / method).glob('*.py')
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


def count(parameters) -> int:
    return sum(parameter.numel() for parameter in parameters)


@pytest.mark.parametrize('name', CONFIGS)
def test_config(name):
    cfg = load(name)
    assert 'mmwsss' in cfg.custom_imports.imports
    model = build(cfg)
    is_affinity = name.startswith('psa/psa')
    assert hasattr(model.decode_head, 'guide') == is_affinity
    assert cfg.param_scheduler.end == cfg.train_cfg.max_iters + 1
    if is_affinity:
        rule = dict(cfg.label_rule, refiner=None)
        MODELS.build(rule)
        walk = MODELS.build(cfg.walk)
        assert walk.refiner.has_background
        assert cfg.val_dataloader is cfg.val_cfg is cfg.val_evaluator is None
    else:
        classes = cfg.model.decode_head.num_classes
        assert model.decode_head.classifier.out_channels == classes - 1
    for loader in ('train_dataloader', 'seed_dataloader'):
        for transform in cfg[loader].dataset.pipeline:
            assert TRANSFORMS.get(transform['type']) is not None
    crop, = (t['crop_size'] for t in cfg.train_dataloader.dataset.pipeline
             if t['type'] == 'RandomCropPad')
    assert tuple(crop) == tuple(cfg.model.data_preprocessor.size)


@pytest.mark.parametrize('name, parameters, trained, keys', [
    ('psa/cam_wide-r38_voc.py', 105_152_832, 104_284_160, 229),
    ('psa/cam_vgg16_voc.py', 20_504_384, None, 31),
    ('psa/psa_wide-r38_voc.py', 106_484_032, 104_202_240 + 1_413_120, 232),
    ('psa/psa_vgg16_voc.py', 21_045_952, None, 40),
    # The background row of fc8, 4096 weights, is absent.
    ('seam/seam_wide-r38_voc.py', 105_358_208 - 4096, None, 232),
])
def test_fingerprints(name, parameters, trained, keys):
    model = build(load(name))
    assert count(model.parameters()) == parameters
    assert len(model.state_dict()) == keys
    if trained:
        assert count(p for p in model.parameters() if p.requires_grad) == trained


@pytest.mark.parametrize('variant, powers, lr, walk', [
    ('', (4, 32), 0.1, (16, None, 256)),
    ('_paper', (4, 24), 0.1, (16, None, 256)),
    ('_seam', (4, 24), 0.01, (6, None, 64)),
    ('_ppc', (4, 24), 0.01, (None, 0.27, 64)),
    ('_mctformer', (1, 12), 0.01, (None, 0.39, 64)),
])
def test_published_settings(variant, powers, lr, walk):
    cfg = load(f'psa/psa_wide-r38_voc{variant}.py')
    assert (cfg.label_rule.low_alpha, cfg.label_rule.high_alpha) == powers
    assert cfg.optim_wrapper.optimizer.lr == lr
    assert (cfg.walk.get('alpha'), cfg.walk.get('threshold'),
            cfg.walk.refiner.steps) == walk
