# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""DeepLab as its configs train and test it, tiny, on generated scenes."""

import pytest
from mmengine.runner import Runner
from mmseg.registry import MODELS
from PIL import Image
from torch import nn

from mmwsss.engine import setup_entry_point
from mmwsss.utils import project_path, read_config


@MODELS.register_module(force=True)
class KeepScores(nn.Module):
    has_background = True

    def forward(self, scores, guide):
        assert scores.shape[2:] == guide.shape[2:]
        return scores


def load(name):
    return read_config(project_path('configs', 'deeplab', f'{name}.py'))


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
