# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import glob
import os.path as osp

import numpy as np
import pytest
import torch
import yaml
from mmcv.transforms import Compose
from mmengine.optim import build_optim_wrapper
from mmengine.runner import Runner
from mmseg.registry import DATASETS, MODELS, PARAM_SCHEDULERS
from PIL import Image
from torch import nn

import mmwsss  # noqa: F401
from mmwsss.engine import setup_entry_point
from mmwsss.utils import read_config


@MODELS.register_module(force=True)
class KeepScores(nn.Module):
    has_background = True

    def forward(self, scores, guide):
        assert scores.shape[2:] == guide.shape[2:]
        return scores


ROOT = osp.dirname(osp.dirname(osp.dirname(osp.abspath(__file__))))
FOLDER = osp.join(ROOT, 'configs', 'deeplab')
CONFIGS = sorted(
    osp.splitext(osp.basename(path))[0]
    for path in glob.glob(osp.join(FOLDER, '*.py')))


def load(name):
    options = dict(classes=['owl', 'fox']) if name.endswith('_folder') else {}
    return read_config(osp.join(FOLDER, f'{name}.py'), options)


def build(cfg):
    """Build a model without storage: no weights are drawn or loaded."""
    if 'pretrained' in cfg.backbone:
        cfg.backbone.pretrained = False
    with torch.device('meta'):
        return MODELS.build(cfg)


def heads_of(model):
    return [
        head for head in (model.decode_head,
                          getattr(model, 'auxiliary_head', None)) if head
    ]


@pytest.mark.parametrize('name', CONFIGS)
def test_config_builds(name):
    cfg = load(name)
    model = build(cfg.model)
    # What the data set holds, the model tells apart.
    dataset = cfg.val_dataloader.dataset
    metainfo = dict(DATASETS.get(dataset.type).METAINFO)
    metainfo.update(dataset.get('metainfo') or {})
    classes = dataset.get('classes') or metainfo['classes']
    for head in heads_of(model):
        assert head.num_classes == len(classes)
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        Compose(loader.dataset.pipeline)
    if 'tta_pipeline' in cfg:
        Compose(cfg.tta_pipeline)
        assert cfg.tta_model.type in MODELS
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    scheduler = PARAM_SCHEDULERS.build(
        dict(cfg.param_scheduler, optimizer=wrapper))
    assert cfg.train_cfg.max_iters <= scheduler.end <= cfg.train_cfg.max_iters + 2
    # The crop of the pipeline is the size that the preprocessor pads to.
    crop, = (t.crop_size for t in cfg.train_dataloader.dataset.pipeline
             if 'Crop' in t.type)
    assert tuple(cfg.model.data_preprocessor.size) == tuple(crop)
    # Each process sees photos of its own.
    assert cfg.val_dataloader.sampler.round_up is False


def test_metafile_names_every_config():
    with open(osp.join(FOLDER, 'metafile.yml')) as file:
        metafile = yaml.safe_load(file)
    named = {model['Name']: model['Config'] for model in metafile['Models']}
    assert set(named) == {
        name for name in CONFIGS
        if not name.endswith(('_animals', '_demo', '_folder', '_crf'))
    }
    for name, path in named.items():
        assert path == f'configs/deeplab/{name}.py'


def num_parameters(module):
    return sum(p.numel() for p in module.parameters())


def test_protocol_a_has_the_published_size_and_groups():
    cfg = load('deeplabv2_r101_voc')
    model = build(cfg.model)
    assert num_parameters(model) == 44_048_532
    assert num_parameters(model.decode_head) == 1_548_372
    assert len(model.state_dict()) == 632
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    groups = {
        (round(g['lr'] / 2.5e-4), g['weight_decay']):
        (len(g['params']), sum(p.numel() for p in g['params']))
        for g in wrapper.optimizer.param_groups
    }
    convs = [m for m in model.backbone.modules() if isinstance(m, nn.Conv2d)]
    assert groups == {
        (1, 5e-4): (len(convs), sum(m.weight.numel() for m in convs)),
        (10, 5e-4): (4, 4 * 9 * 2048 * 21),
        (20, 0.): (4, 4 * 21),
    }


def test_protocol_b_has_the_published_size_and_groups():
    cfg = load('deeplabv1_r101s_voc')
    model = build(cfg.model)
    assert num_parameters(model) == 52_336_085
    assert len(model.state_dict()) == 650
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    groups = {
        (round(g['lr'] / 1e-3), g['weight_decay']):
        (len(g['params']), sum(p.numel() for p in g['params']))
        for g in wrapper.optimizer.param_groups
    }
    assert groups == {
        (1, 5e-4): (106, 42_518_208),
        (10, 5e-4): (3, 9_710_080),
        (20, 0.): (1, 21),
    }


@pytest.fixture
def photo(tmp_path):
    """A photo of one colour, wider than high, and a mask of class 1."""
    Image.new('RGB', (300, 200), (10, 200, 90)).save(tmp_path / 'a.png')
    Image.new('L', (300, 200), 1).save(tmp_path / 'a_mask.png')
    return dict(
        img_path=str(tmp_path / 'a.png'),
        seg_map_path=str(tmp_path / 'a_mask.png'),
        label_map=None,
        reduce_zero_label=False,
        seg_fields=[])


@pytest.mark.parametrize('name, size', [('deeplabv2_r101_voc', 321),
                                        ('deeplabv1_r101_voc', 448)])
def test_augmentation_pads_with_the_mean(name, size, photo):
    cfg = load(name)
    pipeline = Compose(cfg.train_dataloader.dataset.pipeline)
    preprocess = MODELS.build(cfg.model.data_preprocessor)
    widths = set()
    for seed in range(6):
        np.random.seed(seed)
        packed = pipeline(dict(photo, seg_fields=[]))
        batch = preprocess(
            dict(
                inputs=[packed['inputs']], data_samples=[packed['data_samples']]),
            training=True)
        inputs = batch['inputs'][0]
        label = batch['data_samples'][0].gt_sem_seg.data[0]
        assert inputs.shape == (3, size, size)
        assert label.shape == (size, size)
        assert set(label.unique().tolist()) <= {1, 255}
        # 8-bit padding is off the mean by less than half a grey level.
        assert inputs[:, label == 255].abs().max() < 0.5
        assert inputs[:, label == 1].abs().max() > 0.5
        widths.add(int((label == 1).any(dim=0).sum()))
    assert len(widths) > 2


@pytest.fixture
def tiny(voc_root, tmp_path):
    """The demo config with next to no channels, on a few small scenes."""
    cfg = load('deeplabv2_demo')
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        loader.update(num_workers=0, persistent_workers=False)
        loader.dataset.data_root = str(voc_root)
    cfg.train_dataloader.batch_size = 2
    cfg.model.backbone.base_channels = 4
    cfg.model.decode_head.in_channels = 16
    cfg.train_cfg.update(max_iters=3, val_interval=3)
    cfg.work_dir = str(tmp_path / 'work')
    return cfg


def test_demo_trains_on_pseudo_labels_and_scores_on_masks(
        tiny, voc_root, tmp_path):
    labels = tmp_path / 'labels'
    labels.mkdir()
    for path in (voc_root / 'SegmentationClass').iterdir():
        Image.new('L', Image.open(path).size, 3).save(labels / path.name)
    tiny.train_dataloader.dataset.data_prefix.seg_map_path = str(labels)
    setup_entry_point(tiny)
    runner = Runner.from_cfg(tiny)
    runner.train()
    samples = [runner.train_dataloader.dataset[i] for i in range(3)]
    for sample in samples:
        present = sample['data_samples'].gt_sem_seg.data.unique().tolist()
        assert set(present) <= {3, 255}
    masks = set()
    for sample in runner.val_dataloader.dataset:
        masks.update(sample['data_samples'].gt_sem_seg.data.unique().tolist())
    assert 0 in masks
    assert 0 <= runner.message_hub.get_scalar('val/mIoU').current() <= 100


def test_scales_flips_and_refiner_at_test(tiny):
    cfg = load('deeplabv1_r101_voc_crf')
    tiny.test_dataloader.dataset.pipeline = cfg.tta_pipeline
    tiny.test_evaluator = cfg.test_evaluator
    # With this refiner both scores are the same.
    tiny.test_evaluator[1].refiner = dict(type='KeepScores')
    tiny.model = dict(cfg.tta_model, module=tiny.model)
    setup_entry_point(tiny)
    runner = Runner.from_cfg(tiny)
    for batch in runner.test_loop.dataloader:
        assert len(batch['inputs']) == 12
    metrics = runner.test()
    assert metrics['crf/mIoU'] == metrics['mIoU']
