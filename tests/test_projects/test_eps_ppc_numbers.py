# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Numbers that the published code of EPS and PPC gave on inputs made here.

``eps_ppc_numbers.json`` holds losses, and of each gradient or map its norm and
its product with another input.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from published_numbers import close, wave

from mmwsss.datasets.transforms import PILRescale
from mmwsss.models.heads.seam_head import upsample
from mmwsss.models.tta import CAMTTAModel
from mmwsss.structures import ClassMaps
from projects.eps_ppc import PPCEPSHead, PPCHead
from projects.eps_ppc.eps_head import split_scores
from projects.eps_ppc.losses import (
    CrossLabelLoss,
    CrossPrototypeLoss,
    EPSLoss,
    IntraViewLoss,
    prototype_view,
)

NUMBERS = json.loads(
    Path(__file__).with_name('eps_ppc_numbers.json').read_text())
LABELS = torch.zeros(2, 20, dtype=torch.float64)
LABELS[0, [0, 7]] = 1
LABELS[1, [7, 14, 19]] = 1


def check(loss, inputs, expected):
    assert loss.item() == pytest.approx(expected['loss'], rel=1e-9)
    gradients = torch.autograd.grad(
        loss, inputs, retain_graph=True, allow_unused=True)
    wanted = expected.get('gradients') or [expected['gradient']]
    for gradient, value in zip(gradients, wanted, strict=True):
        assert (gradient is None) == (value is None)
        if value is not None:
            close(gradient, value)


@pytest.mark.parametrize('name, mix', [('voc', 0.5), ('coco', 0.9)])
def test_eps_loss(name, mix):
    scores = (3 * wave(2, 21, 6, 6, step=.7390851)).requires_grad_()
    saliency = wave(2, 1, 24, 24, step=.0371) / 2 + .5
    check(EPSLoss(mix=mix)(scores, saliency, LABELS), [scores],
          NUMBERS[f'eps_{name}'])


def first_of_equals(self, k, dim=-1, largest=True):
    """``topk`` leaves it open which of equal values come first."""
    values, places = self.sort(dim=dim, descending=largest, stable=True)
    return values.narrow(dim, 0, k), places.narrow(dim, 0, k)


def contrast_views(monkeypatch, **options):
    monkeypatch.setattr(torch.Tensor, 'topk', first_of_equals)
    revised = [wave(2, 21, 9, 9, step=.4142135).abs(),
               wave(2, 21, 16, 16, step=.2718281).abs()]
    for maps in revised:
        maps[:, 5] = 0
    projected = [wave(2, 6, 9, 9, step=.5772156).abs() + .05,
                 wave(2, 6, 16, 16, step=.6931471).abs() + .05]
    for features in projected:
        features.requires_grad_()
    views = [
        prototype_view(
            upsample(features, (16, 16)), upsample(maps, (16, 16)), LABELS,
            arbitrary=True, **options)
        for features, maps in zip(projected, revised, strict=True)
    ]
    lots = [torch.arange(512.) for _ in views]
    losses = dict(
        cross_prototype=CrossPrototypeLoss()(*views),
        cross_label=CrossLabelLoss()(*views),
        intra_view=IntraViewLoss()(*views, lots))
    return projected, losses


def test_contrast_losses_on_seam(monkeypatch):
    projected, losses = contrast_views(
        monkeypatch, background_score=0.2, top_ratio=1 / 8)
    for name, loss in losses.items():
        check(loss, projected, NUMBERS[f'{name}_master'])


def test_contrast_losses_on_eps(monkeypatch):
    projected, losses = contrast_views(
        monkeypatch, background_score=0.1, top_ratio=1 / 16)
    check(sum(losses.values()), projected, NUMBERS['contrast_esp'])


def ppc_eps_head(**options):
    return PPCEPSHead(
        in_channels=[512, 1024, 4096], num_classes=21, **options).double()


def test_equivariant_losses_on_eps():
    """SEAM's, in which the code takes the first class for the background."""
    maps = [(2 * wave(2, 21, 9, 9, step=.3183098)).requires_grad_(),
            (2 * wave(2, 21, 6, 6, step=.9159655)).requires_grad_()]
    revised = [wave(2, 21, 9, 9, step=.4142135).abs().requires_grad_(),
               wave(2, 21, 6, 6, step=.2718281).abs().requires_grad_()]
    views = []
    for scores, masks, size in zip(maps, revised, (72, 48), strict=True):
        views.append(ClassMaps(
            scores[:, 1:], scores[:, 1:].mean((2, 3)), scores[:, :1],
            extra=dict(revised=masks, size=(size, size))))
    samples = [
        SegDataSample(metainfo=dict(tags=np.r_[1, labels.numpy()]))
        for labels in LABELS
    ]
    inputs = [*maps, *revised]

    def losses(**options):
        head = ppc_eps_head(**options)
        return super(PPCHead, head).loss_by_feat(
            views[0], samples, views[1])

    official = losses(first_class_as_background=True)
    for name in ('er', 'ecr', 'rvmin'):
        check(official[f'loss_{name}'], inputs, NUMBERS[f'{name}_esp'])
    ours = losses()
    assert ours['loss_er'] == official['loss_er']
    assert ours['loss_ecr'] != official['loss_ecr']


def with_numbers(head, rows):
    """The official layers' numbers, their classifier's rows as ours."""
    layers = [(head.classifier, 0), (head.reduce[0], 3), (head.reduce[1], 4),
              (head.embed, 5)] if hasattr(head, 'embed') else [(head.classifier, 0)]
    with torch.no_grad():
        for layer, place in layers:
            shape = layer.weight.shape
            if not place:
                shape = (21, *shape[1:])
            numbers = wave(*shape, step=.1 + .07 * place) * (.05 if place else .2)
            layer.weight.copy_(rows(numbers) if not place else numbers)
    return head.eval()


FEATURES = (None, wave(1, 512, 5, 5, step=.331).relu(),
            wave(1, 1024, 5, 5, step=.443).relu(),
            wave(1, 4096, 5, 5, step=.557).relu())
IMAGE = wave(1, 3, 40, 40, step=.0123)


def last_to_first(weight):
    return weight.roll(1, dims=0)


@torch.no_grad()
def test_heads():
    head = MODELS.build(dict(
        type='EPSHead', in_channels=4096, in_index=3, num_classes=21)).double()
    answer = with_numbers(head, last_to_first)(FEATURES)
    close(answer.logits, NUMBERS['head_eps']['logits'])
    close(answer.scores, NUMBERS['head_eps']['scores'])

    head = with_numbers(ppc_eps_head(), last_to_first)
    head.project.weight.copy_(wave(128, 4096, 1, 1, step=.17) * .05)
    answer = head(FEATURES, IMAGE)
    expected = NUMBERS['head_ppc_eps']
    close(answer.logits, expected['logits'])
    close(answer.scores, expected['scores'])
    for name in ('revised', 'projected'):
        close(answer.extra[name], expected[name])

    head = MODELS.build(dict(
        type='PPCHead', in_channels=[512, 1024, 4096], num_classes=21,
        full_size_seeds=True)).double()
    head = with_numbers(head, lambda weight: weight[1:])
    head.project.weight.copy_(wave(128, 4096, 1, 1, step=.24) * .05)
    answer = head(FEATURES, IMAGE)
    expected = NUMBERS['head_ppc_seam']
    close(answer.seed_maps, expected['seed_maps'])
    for name in ('revised', 'projected'):
        close(answer.extra[name], expected[name])


class FakeModel(torch.nn.Module):
    """Maps at stride 8 of what the image shows there."""

    test_step = None  # Models of test-time augmentation have one.

    def data_preprocessor(self, data, training):
        return dict(data, inputs=torch.stack(data['inputs']).double())

    def class_maps(self, images):
        seen = images[:, :, ::8, ::8].sum(1) / 64
        fake = [3 * torch.sin(seen * (c + 1) * .31) for c in range(21)]
        fields = split_scores(torch.stack(fake, dim=1))
        return ClassMaps(logits=fields['maps'].mean((2, 3)), **fields)


def test_merged_seeds():
    image = ((wave(45, 38, 3, step=.0517) + 1) * 127).round().numpy().astype(np.uint8)
    labels = np.zeros(21, np.uint8)
    labels[[0, 3, 10]] = 1
    inputs, samples = [], []
    for scale in (.5, 1., 1.5, 2.):
        view = PILRescale(scale)(dict(img=image))['img']
        view = torch.from_numpy(view).permute(2, 0, 1)
        for flip in (False, True):
            inputs.append([view.flip(-1) if flip else view])
            samples.append([SegDataSample(metainfo=dict(
                img_path='a.png', ori_shape=(45, 38), tags=labels,
                flip=flip, flip_direction='horizontal'))])

    merge = CAMTTAModel(FakeModel(), bg_thr=0.2, size_divisor=1)
    result, = merge.test_step(dict(inputs=inputs, data_samples=samples))
    assert result.full_seed.labels.tolist() == [3, 10]
    close(result.full_seed.scores, NUMBERS['seeds_eps'], rel=1e-5)
