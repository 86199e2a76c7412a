# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import math

import pytest
import torch
from model_cases import AFFINITY, PIXEL, pixels
from model_tester import build_model, pixel_batch

from mmwsss.models.heads.affinity_head import pool_affinity_label


def naive_pooled(label, stride, num_classes):
    out = torch.empty(label.shape[0] // stride, label.shape[1] // stride)
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            cell = label[y * stride:(y + 1) * stride,
                         x * stride:(x + 1) * stride].flatten().tolist()
            low = [sum(v in (0, 255) for v in cell)]
            high = [sum(v == 0 for v in cell)]
            for c in range(1, num_classes):
                low.append(cell.count(c))
                high.append(cell.count(c) + cell.count(255))
            out[y, x] = low.index(max(low)) or 255
            if high.index(max(high)) == 0:
                out[y, x] = 0
    return out.long()


def test_pooled_label_against_naive():
    generator = torch.Generator().manual_seed(0)
    label = torch.randint(4, (3, 16, 24), generator=generator)
    label[label == 3] = 255
    label[0, :8, :8] = 255
    pooled = pool_affinity_label(label, 4, 3)
    for one, expected in zip(pooled, label, strict=True):
        assert torch.equal(one, naive_pooled(expected, 4, 3))
    assert set(pooled.unique().tolist()) == {0, 1, 2, 255}


def test_head_against_naive():
    model = build_model(PIXEL['psa']).eval()
    feats = model.extract_feat(torch.rand(1, 3, 64, 48))
    head = model.decode_head
    parts = []
    for layer, feature in zip(head.reduce, feats[1:], strict=True):
        feature = torch.einsum('oc,nchw->nohw', layer.conv.weight[:, :, 0, 0], feature)
        feature = torch.nn.functional.interpolate(
            feature, size=feats[1].shape[2:], mode='bilinear')
        parts.append(torch.where(feature > 0, feature, feature.exp() - 1))
    x = torch.einsum(
        'oc,nchw->nohw', head.fuse.weight[:, :, 0, 0], torch.cat(parts, 1))
    guide = head.guide(feats)
    torch.testing.assert_close(
        guide, torch.where(x > 0, x, x.exp() - 1), rtol=1e-4, atol=1e-5)
    merged = head.merge_guides([guide, 3 * guide])
    torch.testing.assert_close(merged, 2 * guide)


def test_initialisation():
    cfg = dict(AFFINITY, reduced_channels=(64, 64, 64))
    head = build_model(pixels(cfg)).decode_head
    bound = 4 * math.sqrt(6 / (192 + 192))
    assert 0.9 * bound < head.fuse.weight.abs().max().item() <= bound
    assert head.reduce[0].conv.weight.std().item() == pytest.approx(
        math.sqrt(2 / 8), rel=0.2)


def test_labels_that_do_not_divide():
    head = build_model(PIXEL['psa']).decode_head
    batch = pixel_batch(size=(32, 28))
    feats = [torch.rand(2, width, 8, 8) for width in (4, 8, 16, 32)]
    with pytest.raises(ValueError, match='does not divide'):
        head.loss(feats, batch['data_samples'], {})
