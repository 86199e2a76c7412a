# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Losses of EPS and PPC against loops, pixel by pixel."""


import pytest
import torch
import torch.nn.functional as F
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from projects.eps_ppc.losses import (
    CrossLabelLoss,
    CrossPrototypeLoss,
    EPSLoss,
    IntraViewLoss,
    PrototypeView,
    prototype_view,
    saliency_maps,
)


def naive_eps(scores, saliency, labels, threshold, mix, overlap):
    num, _, height, width = scores.shape
    step = [saliency.shape[2] // height, saliency.shape[3] // width]
    total = 0.
    for n in range(num):
        p = scores[n].exp() / scores[n].exp().sum(0)
        small = saliency[n, 0, ::step[0], ::step[1]]
        shown, hidden = torch.zeros_like(small), p[0].clone()
        for c in range(labels.shape[1]):
            if not labels[n, c]:
                continue
            both = region = union = 0
            for y in range(height):
                for x in range(width):
                    mine, salient = p[c + 1, y, x] > 0.5, small[y, x] > 0.5
                    both += int(mine and salient)
                    region += int(mine)
                    union += int(mine or salient)
            whole = region if overlap == 'precision' else union
            share = both / (whole + 1e-4 * height * width)
            if share > threshold:
                shown = shown + p[c + 1]
            else:
                hidden = hidden + p[c + 1]
        for y in range(height):
            for x in range(width):
                estimate = mix * shown[y, x] + (1 - mix) * (1 - hidden[y, x])
                total = total + (estimate - small[y, x])**2
    return total / (num * height * width)


@pytest.mark.parametrize('options', [
    dict(), dict(mix=0.9), dict(threshold=0.1), dict(overlap='iou')])
def test_eps_loss_against_naive(options):
    torch.manual_seed(0)
    scores = (3 * torch.randn(3, 5, 6, 4)).double()
    # A class that mostly lies on what is salient, and one that does not.
    saliency = torch.rand(3, 1, 24, 16).double()
    saliency[0] = saliency[0].round()
    scores[0, 1] += 8 * saliency[0, 0, ::4, ::4] - 2
    scores[0, 2, 0] += 6
    scores.requires_grad_()
    labels = torch.tensor([[1., 1, 0, 0], [0, 1, 0, 1], [0, 0, 0, 0]])
    loss = EPSLoss(loss_weight=2., **options)(scores, saliency, labels)
    arguments = dict(threshold=0.4, mix=0.5, overlap='precision')
    wanted = 2 * naive_eps(scores, saliency, labels, **{**arguments, **options})
    torch.testing.assert_close(loss, wanted)
    torch.testing.assert_close(*(
        torch.autograd.grad(value, scores, retain_graph=True)[0]
        for value in (loss, wanted)))


def test_what_counts_as_salient():
    """A class covers half of a salient region: all of it is salient, and yet
    its IoU is a half."""
    saliency = torch.zeros(1, 1, 4, 4)
    saliency[..., :2] = 1
    region = torch.zeros(1, 2, 4, 4)
    region[:, 0, :2, :2] = 0.9
    region[:, 1, :, 3] = 0.9
    assert EPSLoss().region_overlap(region, saliency)[0].tolist() == [
        pytest.approx(1, abs=1e-3), 0]
    iou = EPSLoss(overlap='iou').region_overlap(region, saliency)[0]
    assert iou.tolist() == [pytest.approx(0.5, abs=1e-3), 0]
    assert not EPSLoss().region_overlap(region[:, :, :, 2:3], saliency[..., :1]).any()


def test_saliency_is_read_and_missing_saliency_named():
    sample = SegDataSample(metainfo=dict(img_path='a.jpg'))
    with pytest.raises(ValueError, match='a.jpg comes without a saliency map'):
        saliency_maps([sample], torch.zeros(1))
    sample.gt_saliency = PixelData(
        data=torch.tensor([[[0, 51], [255, 102]]], dtype=torch.uint8))
    maps = saliency_maps([sample, sample], torch.zeros(1, dtype=torch.float64))
    assert maps.shape == (2, 1, 2, 2) and maps.dtype == torch.float64
    torch.testing.assert_close(
        maps[1, 0], torch.tensor([[0, 0.2], [1, 0.4]], dtype=torch.float64))
    with pytest.raises(ValueError, match="overlap must be one of .*, got 'dice'"):
        EPSLoss(overlap='dice')


def stretch(values):
    values = values.clamp(min=0)
    low, high = values.min(), values.max()
    return ((values - low - 1e-5) / (high - low + 1e-5)).clamp(min=0)


def naive_view(features, revised, labels, score, count):
    num, classes, height, width = revised.shape
    pixels = [(n, y, x) for n in range(num) for y in range(height)
              for x in range(width)]
    confidence = torch.stack([
        torch.stack([torch.full_like(revised[n, 0], score)] +
                    [stretch(revised[n, c]) for c in range(1, classes)])
        for n in range(num)])
    pseudo, prototypes = [], []
    for n, y, x in pixels:
        best = [score] + [
            confidence[n, c, y, x].item() if labels[n, c - 1] else 0.
            for c in range(1, classes)]
        pseudo.append(best.index(max(best)))
    for c in range(classes):
        if c:
            order = sorted(pixels, key=lambda at: -confidence[at[0], c, at[1], at[2]])
        else:
            order = sorted(pixels, key=lambda at: max(
                confidence[at[0], k, at[1], at[2]].item() if labels[at[0], k - 1]
                else 0. for k in range(1, classes)))
        total = sum(confidence[n, c, y, x] * features[n, :, y, x]
                    for n, y, x in order[:count])
        prototypes.append(total / total.norm())
    return torch.stack(prototypes), pseudo


def test_prototypes_and_labels_against_naive():
    torch.manual_seed(0)
    features = torch.rand(2, 3, 4, 6).double()
    revised = torch.rand(2, 4, 4, 6).double()
    labels = torch.tensor([[1., 0, 1], [0, 1, 1]])
    view = prototype_view(features, revised, labels, 0.4, 1 / 6)
    prototypes, pseudo = naive_view(features, revised, labels, 0.4, 4)
    assert view.labels.tolist() == pseudo
    assert set(pseudo) == {0, 1, 2, 3}
    torch.testing.assert_close(view.prototypes, prototypes)
    torch.testing.assert_close(
        view.pixels[5 * 6 + 1], F.normalize(features[1, :, 1, 1], dim=0))
    # The code's choice: equal confidences, so any pixels.
    other = prototype_view(features, revised, labels, 0.4, 1 / 6, arbitrary=True)
    torch.testing.assert_close(other.prototypes[1:], view.prototypes[1:])
    assert not torch.allclose(other.prototypes[0], view.prototypes[0])
    assert other.labels.tolist() == pseudo


def test_a_class_without_any_response_has_no_prototype():
    revised = torch.rand(1, 3, 4, 4)
    revised[:, 2] = 0
    view = prototype_view(torch.rand(1, 3, 4, 4), revised, torch.ones(1, 2))
    assert view.prototypes[2].tolist() == [0, 0, 0]
    assert 2 not in view.labels
    features = torch.rand(1, 3, 4, 4)
    other = prototype_view(
        features, revised, torch.ones(1, 2), top_ratio=1, arbitrary=True)
    torch.testing.assert_close(
        other.prototypes[2], F.normalize(features.mean((0, 2, 3)), dim=0))


def make_views(classes=7, pixels=40, depth=5):
    torch.manual_seed(0)
    views = []
    for _ in range(2):
        values = torch.randn(pixels, depth).double().requires_grad_()
        labels = torch.randint(0, classes - 2, (pixels, ))
        labels[0] = classes - 1  # A class of one pixel; one class has none.
        views.append((values, PrototypeView(
            F.normalize(values, dim=1),
            F.normalize(torch.randn(classes, depth).double(), dim=1), labels)))
    return views


def naive_nce(pixels, prototypes, labels):
    total = 0.
    for q, y in zip(pixels, labels, strict=True):
        similar = torch.stack([(q @ p / 0.1).exp() for p in prototypes])
        total = total - (similar[y] / similar.sum()).log()
    return total / len(pixels)


def check(loss, wanted, values):
    torch.testing.assert_close(loss, wanted)
    for gradient, expected in zip(
            torch.autograd.grad(loss, values, retain_graph=True),
            torch.autograd.grad(wanted, values, retain_graph=True), strict=True):
        torch.testing.assert_close(gradient, expected)


def test_cross_losses_against_naive():
    (v1, first), (v2, second) = make_views()
    check(
        CrossPrototypeLoss(loss_weight=0.3)(first, second),
        0.3 * (naive_nce(first.pixels, second.prototypes, first.labels) +
               naive_nce(second.pixels, first.prototypes, second.labels)) / 2,
        [v1, v2])
    check(
        CrossLabelLoss(loss_weight=0.3)(first, second),
        0.3 * (naive_nce(first.pixels, first.prototypes, second.labels) +
               naive_nce(second.pixels, second.prototypes, first.labels)) / 2,
        [v1, v2])


def naive_intra(view, lot, first, end):
    losses, similar = [], []
    for q, y in zip(view.pixels, view.labels, strict=True):
        cosines = [q @ p for p in view.prototypes]
        others = sorted(cosines, reverse=True)[first:end]
        own = (cosines[y] / 0.1).exp()
        losses.append(-(own / (own + sum((c / 0.1).exp() for c in others))).log())
        similar.append(cosines[y].item())
    total, classes = 0., sorted(set(view.labels.tolist()))
    for k in classes:
        mine = [i for i, y in enumerate(view.labels) if y == k]
        half, end_of_hard = len(mine) // 2, int(len(mine) * 0.6)
        drawn = sorted(mine, key=lambda i: lot[i])[:half]
        hard = sorted(mine, key=lambda i: similar[i])[
            end_of_hard - half:end_of_hard]
        if half:
            total = total + sum(losses[i] for i in drawn + hard) / (2 * half)
    return total / len(classes)


@pytest.mark.parametrize('classes, first, end', [(7, 1, 4), (21, 3, 13)])
def test_intra_view_loss_against_naive(classes, first, end):
    views = make_views(classes)
    lots = [torch.rand(40), torch.rand(40)]
    loss = IntraViewLoss(loss_weight=0.3)(views[0][1], views[1][1], lots)
    wanted = 0.3 * sum(
        naive_intra(view, lot, first, end)
        for (_, view), lot in zip(views, lots, strict=True)) / 2
    check(loss, wanted, [values for values, _ in views])


def test_intra_view_loss_draws():
    (_, first), (_, second) = make_views()
    losses = {IntraViewLoss()(first, second).item() for _ in range(4)}
    assert len(losses) > 1
    torch.manual_seed(3)
    once = IntraViewLoss()(first, second)
    torch.manual_seed(3)
    assert once == IntraViewLoss()(first, second)
    with pytest.raises(ValueError, match='two ascending shares'):
        IntraViewLoss(semi_hard=(0.5, 0.2))
