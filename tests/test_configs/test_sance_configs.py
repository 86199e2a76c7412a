# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest
import torch
import yaml
from mmcv.transforms import Compose
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmseg.registry import DATASETS, METRICS, MODELS

from mmwsss.datasets.image_io import read_mask, voc_palette, write_mask
from mmwsss.engine import setup_entry_point
from mmwsss.evaluation.metrics.boundary_matching import boundary_of_mask

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
    for name_of_loader in ('train_dataloader', 'val_dataloader',
                           'test_dataloader', 'seed_dataloader'):
        loader = cfg[name_of_loader]
        if loader is not None:
            Compose(loader.dataset.pipeline)
    crop, = (t.crop_size for t in dataset.pipeline if 'Crop' in t.type)
    assert tuple(cfg.model.data_preprocessor.size) == tuple(crop)
    if cfg.test_evaluator is not None:
        METRICS.build(cfg.test_evaluator)
    MODELS.build(cfg.walk)
    assert cfg.tta_model.type in MODELS and cfg.walk_tta_model.type in MODELS
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    assert wrapper.optimizer.param_groups
    saliency = 'saliency' in name
    assert ('saliency_path' in dataset.data_prefix) == saliency
    assert any(t.type == 'LoadSaliency' for t in dataset.pipeline) == saliency
    assert (getattr(model, 'refine_by', 'crf') == 'saliency') == saliency
    if cfg.val_evaluator is not None:
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


TRAINED = {
    'ablations/sance_r101_sbd_baseline-s16.py':
    'ablations/sance_r101_voc_baseline-s16.py',
    'ablations/sance_r101_sbd_naive-s16.py':
    'ablations/sance_r101_voc_naive-s16.py',
    'sance_r101_sbd.py': 'sance_r101_voc.py',
}


@pytest.mark.parametrize('name, trained', TRAINED.items())
def test_sbd_tests_what_was_trained(name, trained):
    cfg, other = load(name), load(trained)
    assert cfg.model.backbone == other.model.backbone
    assert type(build(cfg)) is type(build(other))
    assert cfg.test_dataloader == load('sance_r101_sbd.py').test_dataloader
    assert cfg.test_evaluator.type == 'BoundaryMetric'


def shrink(cfg: Config, root, work_dir) -> Config:
    """A ResNet-18 of few channels on generated scenes, for two iterations."""
    model = cfg.model
    model.data_preprocessor.size = (48, 48)
    model.backbone.update(
        depth=18, stem_channels=8, base_channels=8, init_cfg=None)
    model.decode_head.update(in_channels=(8, 8, 16, 32, 64), num_classes=7)
    model.decode_head.loss_decode.radius = 3
    if 'auxiliary_head' in model:
        model.auxiliary_head.update(in_channels=64, num_classes=7)
        # Masks stand in for saliency.
        model.update(refine_by='saliency', saliency_thr=0.01, crf_jobs=0)
    for name in ('train', 'val', 'test'):
        loader = cfg[f'{name}_dataloader']
        if loader is None:
            continue
        loader.update(num_workers=0, persistent_workers=False)
        loader.dataset.update(type='WeakDemoDataset', data_root=str(root))
        loader.dataset.data_prefix.img_path = 'JPEGImages'
    train = cfg.train_dataloader
    train.batch_size = 2
    train.dataset.ann_file = 'ImageSets/Segmentation/train.txt'
    train.dataset.data_prefix.update(
        seg_map_path='SegmentationClass', saliency_path='SegmentationClass')
    train.dataset.pipeline = [
        dict(type='LoadPhoto'),
        dict(type='LoadMask'),
        dict(type='LoadSaliency'),
        dict(type='RandomCropPad', crop_size=(48, 48), pad_val=(0, 0, 0)),
        dict(type='PackWeakInputs')
    ]
    cfg.train_cfg.max_iters = 2
    cfg.visualizer.name = cfg.experiment_name = str(work_dir)
    cfg.work_dir, cfg.log_level = str(work_dir), 'ERROR'
    return cfg


def run(cfg: Config) -> Runner:
    setup_entry_point(cfg)
    return Runner.from_cfg(cfg)


@pytest.fixture(scope='module')
def boundaries(voc_root, tmp_path_factory):
    """What tools/dataset_converters/sbd.py makes, of generated scenes."""
    folder = tmp_path_factory.mktemp('boundaries')
    for path in (voc_root / 'SegmentationClass').glob('*.png'):
        edge = boundary_of_mask(read_mask(str(path)))
        write_mask(str(folder / path.name), edge.astype('uint8'),
                   voc_palette(2))
    return folder


@pytest.mark.parametrize('name, trained', TRAINED.items())
def test_trains_and_scores_contours(name, trained, voc_root, boundaries,
                                    tmp_path):
    run(shrink(load(trained), voc_root, tmp_path / 'train')).train()
    cfg = shrink(load(name), voc_root, tmp_path / 'test')
    cfg.test_dataloader.dataset.data_prefix.seg_map_path = str(boundaries)
    cfg.test_evaluator.update(
        matching='distance', num_thresholds=3, thin=False)
    cfg.load_from = str(tmp_path / 'train' / 'iter_2.pth')
    scores = run(cfg).test()
    assert 0 <= scores['boundary/MF_approx'] <= 100


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
