# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch
from mmseg.registry import METRICS, MODELS
from PIL import Image
from torch import nn

import mmwsss  # noqa: F401


@MODELS.register_module(force=True)
class RedIsForeground(nn.Module):
    """Checks what a refiner is given, and trusts the red channel only."""

    def __init__(self, has_background=True):
        super().__init__()
        self.has_background = has_background

    def forward(self, scores, guide):
        torch.testing.assert_close(
            scores.sum(dim=1), torch.ones(1, *scores.shape[2:]))
        red = guide[:, 0] / 255
        return torch.stack([1 - red, red], dim=1)


@pytest.fixture
def sample(tmp_path):
    """The left half of the image is red and foreground; all is predicted 0."""
    image = np.zeros((6, 8, 3), np.uint8)
    image[:, :4, 0] = 255
    Image.fromarray(image).save(tmp_path / 'a.png')
    gt = torch.zeros(1, 6, 8, dtype=torch.long)
    gt[..., :4] = 1
    logits = torch.zeros(2, 6, 8)
    logits[0] = 1
    return dict(
        img_path=str(tmp_path / 'a.png'),
        seg_logits=dict(data=logits),
        pred_sem_seg=dict(data=logits.argmax(0, keepdim=True)),
        gt_sem_seg=dict(data=gt))


def evaluate(metric, sample):
    metric.dataset_meta = dict(classes=('background', 'thing'))
    metric.process({}, [sample])
    return metric.evaluate(size=1)


def test_refined_and_plain_scores_stand_side_by_side(sample):
    before = sample['pred_sem_seg']['data'].clone()
    refined = METRICS.build(
        dict(type='RefinedIoUMetric', refiner=dict(type='RedIsForeground')))
    assert evaluate(refined, sample)['crf/mIoU'] == 100
    assert torch.equal(sample['pred_sem_seg']['data'], before)
    plain = METRICS.build(dict(type='IoUMetric'))
    assert evaluate(plain, sample)['mIoU'] == 25


def test_dense_crf_refines(sample):
    # One wrong pixel in a confident, uniform area.
    logits = torch.zeros(2, 6, 8)
    logits[0, :, 4:] = logits[1, :, :4] = 4
    logits[:, 2, 1] = torch.tensor([0.5, 0.])
    sample['seg_logits'] = dict(data=logits)
    metric = METRICS.build(
        dict(
            type='RefinedIoUMetric',
            refiner=dict(type='DenseCRF', preset='deeplab')))
    assert evaluate(metric, sample)['crf/mIoU'] == 100


def test_errors(sample):
    with pytest.raises(ValueError, match='RedIsForeground.*background'):
        METRICS.build(
            dict(
                type='RefinedIoUMetric',
                refiner=dict(type='RedIsForeground', has_background=False)))
    metric = METRICS.build(
        dict(type='RefinedIoUMetric', refiner=dict(type='RedIsForeground')))
    del sample['seg_logits']
    with pytest.raises(KeyError, match='a.png'):
        evaluate(metric, sample)
