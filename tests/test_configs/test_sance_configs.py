# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest
import torch
import yaml
from mmcv.transforms import Compose
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS, METRICS, MODELS

ROOT = Path(__file__).parents[2] / 'configs'
FOLDER = ROOT / 'sance'
CONFIGS = sorted(
    str(path.relative_to(FOLDER)) for path in FOLDER.rglob('*.py')
    if not path.stem.endswith('_pipeline'))


def load(name: str) -> Config:
    cfg = Config.fromfile(FOLDER / name)
    init_default_scope(cfg.default_scope)
    return cfg


def build(cfg: Config):
    if cfg.model.backbone.get('pretrained'):
        cfg.model.backbone.pretrained = False
    with torch.device('meta'):
        return MODELS.build(cfg.model)


def count(module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize('name', CONFIGS)
def test_config(name):
    cfg = load(name)
    model = build(cfg)
    if model.with_auxiliary_head:
        classes = cfg.train_dataloader.dataset.get('classes')
        if isinstance(classes, str) or classes is None:
            classes = DATASETS.get(
                cfg.train_dataloader.dataset.type).METAINFO.get('classes')
        if classes is not None:
            assert model.auxiliary_head.num_classes == len(classes)
        assert (model.auxiliary_head.num_classes
                == model.decode_head.num_classes)
    dataset = cfg.train_dataloader.dataset
    assert dataset.with_masks and dataset.data_prefix.seg_map_path == 'seed_labels'
    for loader in ('train_dataloader', 'val_dataloader', 'seed_dataloader'):
        Compose(cfg[loader].dataset.pipeline)
    crop, = (t.crop_size for t in dataset.pipeline if 'Crop' in t.type)
    assert tuple(cfg.model.data_preprocessor.size) == tuple(crop)
    METRICS.build(cfg.test_evaluator)
    MODELS.build(cfg.walk)
    assert cfg.tta_model.type in MODELS and cfg.walk_tta_model.type in MODELS
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    assert wrapper.optimizer.param_groups
    saliency = 'saliency' in name
    assert ('saliency_path' in dataset.data_prefix) == saliency
    assert any(t.type == 'LoadSaliency' for t in dataset.pipeline) == saliency
    assert (getattr(model, 'refine_by', 'crf') == 'saliency') == saliency
    if hasattr(cfg.val_evaluator, 'protocol'):
        assert cfg.val_evaluator.protocol.supervision == (
            'I+S' if saliency else 'I')


def test_sizes_and_rates():
    cfg = load('sance_r101_voc.py')
    model = build(cfg)
    # A ResNet-101 without its classifier.
    assert count(model.backbone) == 42_500_160
    # IRN's edge branch, and DeepLab's four classifiers.
    assert count(model.decode_head) == 125_409
    assert count(model.auxiliary_head) == 1_548_372
    rates = {
        group['lr'] for group in build_optim_wrapper(
            model, cfg.optim_wrapper).optimizer.param_groups
    }
    assert sorted(rates) == pytest.approx([2.5e-4, 2.5e-3])
    assert cfg.train_cfg.max_iters == 16 * cfg.train_cfg.val_interval == 16_928


def test_strides():
    for name, stride in (('sance_r101_voc.py', 8),
                         ('ablations/sance_r101_voc_naive-s16.py', 16)):
        model = build(load(name))
        with torch.device('meta'):
            feats = model.backbone(torch.rand(1, 3, 64, 64))
        assert [feat.shape[2] for feat in feats[:2]] == [16, 16]
        assert feats[-1].shape[2] == 64 // stride
        dilations = [
            model.backbone.layer3[0].conv2.dilation,
            model.backbone.layer4[0].conv2.dilation
        ]
        assert dilations == ([(2, 2), (4, 4)] if stride == 8 else [(1, 1)] * 2)


@pytest.mark.parametrize('name, online, refined', [
    ('naive', ('contour', 'segmentation'), ()),
    ('naive-s16', ('contour', 'segmentation'), ()),
    ('online-none', (), ()),
    ('online-segmentation', ('segmentation', ), ()),
    ('online-contour', ('contour', ), ()),
    ('refine-segmentation', ('contour', 'segmentation'), ('segmentation', )),
    ('refine-both', ('contour', 'segmentation'),
     ('contour', 'segmentation')),
    ('wo-tta', ('contour', 'segmentation'), ('contour', )),
])
def test_ablations(name, online, refined):
    cfg = load(f'ablations/sance_r101_voc_{name}.py')
    model = build(cfg)
    assert (model.online, model.refined) == (online, refined)
    views = cfg.seed_dataloader.dataset.pipeline[1].transforms
    count = len(views[0]) * (len(views[1]) if len(views) == 4 else 1)
    assert count == (1 if name == 'wo-tta' else 8)


def test_literal_steps():
    model = build(load('ablations/sance_r101_voc_literal-8.py'))
    assert model.online_walk == dict(radius=3, beta=10, steps=8)
    assert model.label_walk == dict(radius=5, beta=10, steps=8)


def test_esol_with_saliency():
    cfg = Config.fromfile(ROOT / 'esol' / 'esol_r50_voc_saliency.py')
    init_default_scope(cfg.default_scope)
    assert MODELS.build(cfg.label_rule).uses_saliency
    assert cfg.seed_dataloader.dataset.data_prefix.saliency_path == 'Saliency'
    assert cfg.val_evaluator.protocol.supervision == 'I+S'


def test_metafile_names_configs():
    with open(FOLDER / 'metafile.yml') as file:
        models = yaml.safe_load(file)['Models']
    assert {model['Name'] for model in models} == {
        name[:-3] for name in CONFIGS
        if not name.startswith('ablations') and not name.endswith(
            ('_demo.py', '_folder.py', '_sbd.py'))
    }
    for model in models:
        assert (ROOT.parent / model['Config']).is_file()
