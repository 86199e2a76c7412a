# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import copy
import math

import pytest
import torch
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from model_tester import BACKBONE, NUM_CLASSES, PREPROCESSOR, make_batch

from mmwsss.models.heads.affinity_head import pool_affinity_label
from mmwsss.models.losses import pair_means

LOSS = dict(type='FeatureAffinityLoss', radius=3)
MODEL = dict(
    type='WeakSegmentor',
    data_preprocessor=dict(PREPROCESSOR, size=(64, 64)),
    backbone=BACKBONE,
    decode_head=dict(
        type='AffinityHead',
        in_channels=[8, 16, 32],
        num_classes=NUM_CLASSES,
        reduced_channels=(4, 4, 8),
        loss_decode=LOSS),
    test_cfg=dict(mode='whole'))


def make_inputs():
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(4, 3, 5, 7, generator=generator)
    label = torch.randint(3, (4, 5, 7), generator=generator)
    label[0, :2] = 255
    label[3] = 0
    return features.requires_grad_(), label


def naive_loss(features, label, radius=3):
    """Pair by pair."""
    height, width = label.shape[1:]
    reach = radius - 1
    kinds = dict(bg=[], fg=[], neg=[])
    for n in range(len(label)):
        for y in range(height - reach):
            for x in range(reach, width - reach):
                for dy in range(reach + 1):
                    for dx in range(-reach, reach + 1):
                        if math.hypot(dy, dx) >= radius or (
                                dy == 0 and dx <= 0):
                            continue
                        one, two = label[n, y, x], label[n, y + dy, x + dx]
                        if 255 in (one, two):
                            continue
                        difference = (
                            features[n, :, y, x] - features[n, :, y + dy, x + dx])
                        affinity = torch.exp(-difference.abs().mean())
                        if one != two:
                            kinds['neg'].append(-torch.log(1 + 1e-5 - affinity))
                        else:
                            kinds['fg' if one else 'bg'].append(
                                -torch.log(affinity + 1e-5))
    means = {k: sum(v) / (len(v) + 1e-5) for k, v in kinds.items()}
    return means['bg'] / 4 + means['fg'] / 4 + means['neg'] / 2


def test_loss_against_naive():
    features, label = make_inputs()
    loss = MODELS.build(LOSS)(features, label)
    torch.testing.assert_close(loss, naive_loss(features, label))
    gradient, = torch.autograd.grad(loss, features)
    expected, = torch.autograd.grad(naive_loss(features, label), features)
    torch.testing.assert_close(gradient, expected)
    assert gradient.abs().max() > 1e-3


def test_loss_without_pairs_is_zero():
    features, label = make_inputs()
    loss = MODELS.build(LOSS)(features, torch.full_like(label, 255))
    loss.backward()
    assert loss == 0 and not features.grad.any()


def test_loss_of_equal_features_is_finite():
    _, label = make_inputs()
    features = torch.ones(4, 3, 5, 7, requires_grad=True)
    loss = MODELS.build(LOSS)(features, label)
    loss.backward()
    # A pair of different labels with affinity 1 costs -log(1e-5).
    assert loss.item() == pytest.approx(-math.log(1e-5) / 2, rel=1e-3)
    assert features.grad.isfinite().all()


@pytest.mark.parametrize('features, label, message', [
    ((1, 3, 5, 6), (1, 5, 7), 'label must have the shape'),
    ((1, 3, 2, 7), (1, 2, 7), 'has no pairs'),
    ((1, 3, 5, 4), (1, 5, 4), 'has no pairs'),
])
def test_loss_errors(features, label, message):
    with pytest.raises(ValueError, match=message):
        MODELS.build(LOSS)(
            torch.zeros(features), torch.zeros(label, dtype=torch.int64))


def test_radius():
    with pytest.raises(ValueError, match='radius'):
        MODELS.build(dict(LOSS, radius=1))


def test_two_processes_get_the_gradient_of_one(monkeypatch):
    features, label = make_inputs()
    loss = MODELS.build(LOSS)
    loss(features, label).backward()
    counts = []
    monkeypatch.setattr(pair_means, 'all_reduce', counts.append)
    for half in (slice(0, 2), slice(2, 4)):
        loss(features[half], label[half])
    assert not torch.equal(*counts)

    def all_reduce(own):
        own.copy_(sum(counts))

    monkeypatch.setattr(pair_means, 'all_reduce', all_reduce)
    monkeypatch.setattr(pair_means, 'get_world_size', lambda: 2)
    halves = []
    for half in (slice(0, 2), slice(2, 4)):
        part = features.detach()[half].requires_grad_()
        loss(part, label[half]).backward()
        halves.append(part.grad)
    # DistributedDataParallel averages.
    torch.testing.assert_close(torch.cat(halves) / 2, features.grad)


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


def batch():
    data = make_batch(size=(64, 64))
    generator = torch.Generator().manual_seed(0)
    for sample in data['data_samples']:
        label = torch.randint(3, (1, 8, 8), generator=generator)
        label = label.repeat_interleave(8, 1).repeat_interleave(8, 2)
        sample.gt_sem_seg = PixelData(data=label)
    return data


def build(cfg=MODEL):
    torch.manual_seed(0)
    model = MODELS.build(copy.deepcopy(cfg))
    model.init_weights()
    return model


def losses(model):
    return model(**model.data_preprocessor(batch(), training=True), mode='loss')


def test_head_against_naive():
    model = build().eval()
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
    cfg = copy.deepcopy(MODEL)
    cfg['decode_head']['reduced_channels'] = (64, 64, 64)
    head = build(cfg).decode_head
    bound = 4 * math.sqrt(6 / (192 + 192))
    assert 0.9 * bound < head.fuse.weight.abs().max().item() <= bound
    assert head.reduce[0].conv.weight.std().item() == pytest.approx(
        math.sqrt(2 / 8), rel=0.2)


def test_classes_are_not_predicted():
    model = build().eval()
    with pytest.raises(NotImplementedError, match='walk_seeds'):
        model.decode_head.predict(None, None, None)


def test_errors():
    with pytest.raises(ValueError, match='one length'):
        MODELS.build(dict(MODEL['decode_head'], in_channels=[8, 16]))
    model = build().train()
    data = batch()
    for sample in data['data_samples']:
        sample.gt_sem_seg = PixelData(data=sample.gt_sem_seg.data[:, :60])
    feats = model.extract_feat(torch.rand(2, 3, 64, 64))
    with pytest.raises(ValueError, match='does not divide'):
        model.decode_head.loss(feats, data['data_samples'], {})
