# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import pytest
import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from model_cases import WEAK
from model_tester import build_model, loss_dict, make_batch

from mmwsss.models.heads.seam_head import keep_strongest
from mmwsss.ops import min_max_norm

HEAD = WEAK['seam']['decode_head']


def naive_revise(maps, embedding):
    """Pixel by pixel: a mean weighted by cosine similarity."""
    num, _, height, width = maps.shape
    seeds = torch.zeros(num, maps.shape[1] + 1, height, width)
    for n in range(num):
        normal = torch.stack([
            (one.clamp(min=0) - 1e-5).clamp(min=0) / (one.clamp(min=0).max() + 1e-5)
            for one in maps[n]
        ])
        for y in range(height):
            for x in range(width):
                best = normal[:, y, x].max()
                seeds[n, 0, y, x] = 1 - best
                for c, value in enumerate(normal[:, y, x]):
                    seeds[n, c + 1, y, x] = value if value == best else 0
    out = []
    pixels = [(y, x) for y in range(height) for x in range(width)]
    for n in range(num):
        vectors = [embedding[n, :, y, x] for y, x in pixels]
        vectors = [v / (v.norm() + 1e-5) for v in vectors]
        columns = []
        for target in vectors:
            weights = torch.stack([(v @ target).clamp(min=0) for v in vectors])
            weights = weights / (weights.sum() + 1e-5)
            columns.append(sum(
                w * seeds[n, :, y, x]
                for w, (y, x) in zip(weights, pixels, strict=True)))
        out.append(torch.stack(columns, 1).view(-1, height, width))
    return torch.stack(out)


def test_revised_maps_against_naive():
    torch.manual_seed(0)
    maps = torch.randn(2, 3, 3, 4)
    embedding = torch.randn(2, 5, 3, 4, requires_grad=True)
    head = MODELS.build(HEAD)
    revised = head._revise(maps, embedding)
    expected = naive_revise(maps, embedding)
    torch.testing.assert_close(revised, expected)
    weights = torch.randn_like(revised)
    gradient, = torch.autograd.grad((revised * weights).sum(), embedding)
    wanted, = torch.autograd.grad((expected * weights).sum(), embedding)
    torch.testing.assert_close(gradient, wanted)


def test_maps_learn_by_the_classifier_only():
    torch.manual_seed(0)
    head = MODELS.build(HEAD)
    features = [torch.rand(1, c, 4, 4, requires_grad=True) for c in (4, 8, 16, 32)]
    image = torch.rand(1, 3, 32, 32)
    class_maps = head(features, image)
    maps, revised = class_maps.maps, class_maps.extra['revised']
    assert maps.shape == (1, 3, 4, 4) and revised.shape == (1, 4, 4, 4)
    revised.sum().backward()
    assert all(feature.grad is None for feature in features)
    assert head.classifier.weight.grad is None
    assert head.embed.weight.grad is not None


def naive_losses(head, views, labels):
    """SEAM's training step, its steps in its order, image by image."""
    present = labels[:, :, None, None]
    with_background = torch.cat([torch.ones(len(labels), 1, 1, 1), present], 1)
    cams, revised, losses = [], [], dict(cls=0., rvmin=0.)
    for view in views:
        size = view[-1].shape[2:]
        both = head(view[:-1], view[-1])
        cam, rv = (F.interpolate(x, size=size, mode='bilinear', align_corners=True)
                   for x in (both.maps, both.extra['revised']))
        losses['cls'] += F.multilabel_soft_margin_loss(
            cam.mean((2, 3)), labels) / 2
        low = (rv[:, 1:] * present).max(1)[0].flatten(1).sort(dim=1)[0]
        losses['rvmin'] += low[:, :low.shape[1] // 4].clamp(min=0).mean() / 2
        cams.append(min_max_norm(cam.relu()))
        revised.append(min_max_norm(rv.relu()))
    size = cams[1].shape[2:]
    cams = [F.interpolate(x, size=size, mode='bilinear', align_corners=True)
            * present for x in cams]
    revised = [F.interpolate(x, size=size, mode='bilinear', align_corners=True)
               * with_background for x in revised]
    losses['er'] = (cams[0] - cams[1]).abs().mean()
    losses['ecr'] = 0.
    for own, other in ((0, 1), (1, 0)):
        for n in range(len(labels)):
            target = cams[other][n].detach()
            target = torch.cat([1 - target.max(0, keepdim=True)[0], target])
            target = keep_strongest(target[None])[0]
            difference = (target - revised[own][n]).abs().flatten()
            difference = difference.sort(descending=True)[0]
            count = int(len(difference) * 0.2)
            losses['ecr'] += difference[:count].mean() / len(labels)
    return losses


def test_losses_against_naive():
    torch.manual_seed(0)
    head = MODELS.build(HEAD)
    with torch.no_grad():
        head.classifier.weight.abs_()
    image = torch.rand(2, 3, 20, 20)
    views = []
    for size, resized in ((5, image), (2, image[:, :, ::2, ::2][:, :, :6, :6])):
        views.append((*[torch.randn(2, c, size, size) for c in (4, 8, 16, 32)],
                      resized))
    samples = make_batch()['data_samples']
    labels = torch.tensor([[1., 0, 0], [0, 1, 0]])
    first, second = (head(view[:-1], view[-1]) for view in views)
    losses = head.loss_by_feat(first, samples, second)
    expected = naive_losses(head, views, labels)
    assert len(losses) == 4
    for name, value in expected.items():
        assert value > 1e-4
        torch.testing.assert_close(losses[f'loss_{name}'], value)
    parameters = list(head.parameters())
    gradients = torch.autograd.grad(sum(losses.values()), parameters)
    wanted = torch.autograd.grad(sum(expected.values()), parameters)
    for gradient, value in zip(gradients, wanted, strict=True):
        torch.testing.assert_close(gradient, value, rtol=1e-3, atol=1e-5)


def test_seeds_are_the_revised_maps():
    """Their probabilities remain those of the maps that are trained."""
    model = build_model(WEAK['seam']).eval()
    with torch.no_grad():
        class_maps = model.class_maps(torch.rand(1, 3, 32, 32))
    revised = class_maps.extra['revised']
    assert torch.equal(class_maps.seed_maps, revised[:, 1:])
    assert not torch.equal(class_maps.seed_maps, class_maps.maps)
    assert torch.equal(class_maps.logits, class_maps.maps.mean((2, 3)))


def test_without_labels_probable_classes_are_shown():
    """Probable by the maps that are trained."""
    model = build_model(WEAK['seam']).eval()
    with torch.no_grad():
        weight = model.decode_head.classifier.weight
        weight.abs_()
        weight[2] = weight[0]
        weight[1].neg_()
        result = model(torch.rand(1, 3, 32, 32), mode='predict')[0]
    shown = result.seg_logits.data.amax((1, 2)) > 0
    assert shown.tolist() == [True, True, False, True]


def test_fixed_second_view():
    model = build_model(dict(WEAK['seam'], second_view=(16, 24)))
    second, = model.more_views(torch.rand(1, 3, 32, 32))
    assert second.shape == (1, 3, 16, 24)


def test_by_its_old_type():
    cfg = dict(WEAK['seam'], type='SEAM')
    cfg.pop('second_view')
    model = build_model(cfg)
    assert type(model).__name__ == 'WeakSegmentor' and model.second_view == 0.3


def test_stock_segmentor_gives_no_images():
    cfg = dict(WEAK['seam'], type='EncoderDecoder')
    cfg.pop('second_view')
    model = build_model(cfg)
    with pytest.raises(ValueError, match="SEAMHead.*second_view"):
        loss_dict(model, make_batch())


def test_one_view_only():
    model = build_model(dict(WEAK['seam'], second_view=None))
    with pytest.raises(ValueError, match='SEAMHead.*second_view'):
        loss_dict(model, make_batch())
