# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Numbers that the published code of SIPE gave on inputs made here.

``sipe_numbers.json`` holds losses, and of each map or gradient its norm and its
product with another input.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmseg.structures import SegDataSample
from published_numbers import close, wave

from mmwsss.datasets.transforms import PILRescale
from mmwsss.models.refiners import WalkLabel
from mmwsss.structures import ClassMaps
from projects.sipe import SIPEHead, SIPETTAModel
from projects.sipe.prototypes import (
    image_prototypes,
    structure_aware_seeds,
)

NUMBERS = json.loads(Path(__file__).with_name('sipe_numbers.json').read_text())
NUM_CLASSES = 5
CHANNELS, SIDES = (6, 8, 10, 12), (3, 4, 5, 6)


def features(images):
    """Four levels at strides 4, 8, 16, 16 of what the images show there."""
    levels = []
    for stride, channels in zip((4, 8, 16, 16), CHANNELS, strict=True):
        seen = images[:, :, ::stride, ::stride].sum(1) / 32
        levels.append(torch.stack(
            [torch.sin(seen * (c + 1) * .31 + c) for c in range(channels)], dim=1))
    return levels


def weight(out_channels, in_channels, place):
    return wave(out_channels, in_channels, 1, 1, step=.1 + .07 * place)


def blobs(*shape, step):
    """Images whose neighbouring pixels are alike, in [-127, 127]."""
    height, width = shape[-2:]
    small = wave(*shape[:-2], 5, 5, step=step) * 127
    return F.interpolate(small, size=(height, width), mode='bicubic').clamp(-127, 127)


IMAGES = blobs(2, 3, 96, 80, step=.0173) + wave(2, 3, 96, 80, step=.023)
BOXES = [(0, 0, 80, 96), (16, 0, 80, 64)]
LABELS = torch.tensor([[1., 1, 0, 0], [0, 1, 0, 1]])
IMAGE = (blobs(1, 3, 70, 58, step=.0517)[0].permute(1, 2, 0) + 127).round(
).numpy().astype(np.uint8)
IMAGE_LABELS = np.array([1, 1, 0, 1, 1], np.uint8)
EDGE = wave(1, 18, 15, step=.0931).abs()**3


def make_head(**options):
    options = {'absent_compete': True, 'count_padding': True, **options}
    head = SIPEHead(CHANNELS, NUM_CLASSES, side_channels=SIDES, **options).double()
    with torch.no_grad():
        for i, conv in enumerate(head.hierarchy.convs):
            conv.weight.copy_(weight(*conv.weight.shape[:2], i))
        head.classifier.weight.copy_(
            weight(*head.classifier.weight.shape[:2], len(CHANNELS)))
    return head


def test_training():
    expected = NUMBERS['training']
    head = make_head().train()
    levels = features(IMAGES)
    levels[-1].requires_grad_()
    samples = [
        SegDataSample(metainfo=dict(
            valid_box=box, tags=np.r_[1, labels.numpy()]))
        for box, labels in zip(BOXES, LABELS, strict=True)
    ]
    answer = head(levels, IMAGES)
    losses = head.loss_by_feat(answer, samples)
    close(answer.logits, expected['score'])
    leaves = [levels[-1], head.classifier.weight,
              *(conv.weight for conv in head.hierarchy.convs)]
    for name in ('loss_cls', 'loss_gsc'):
        assert losses[name].item() == pytest.approx(expected[name]['loss'], rel=1e-9)
        found = torch.autograd.grad(
            losses[name], leaves, retain_graph=True, allow_unused=True)
        for one, wanted in zip(found, expected[name]['gradients'], strict=True):
            assert (one is None) == (wanted is None)
            if one is not None:
                close(one, wanted)

    valid = torch.ones(2, 1, 6, 5, dtype=torch.bool)
    valid[1, :, 4:] = valid[1, :, :, :1] = False
    present = LABELS.bool()
    general = head.general_maps(answer.maps, present, valid)
    close(general, expected['general'])
    seeds = structure_aware_seeds(general, levels[-1], present) * valid
    assert seeds.sum((2, 3)).int().tolist() == expected['seeds']
    close(seeds, expected['seed_places'])
    found = image_prototypes(seeds, answer.extra['hierarchical'])
    close(F.normalize(found, dim=2), expected['prototypes'])
    close(head.specific_maps(answer, general, present, 'deep', valid),
          expected['specific'])

    for name in ('absent_compete', 'count_padding'):
        other = make_head(**{name: False}).train()
        loss = other.loss_by_feat(other(levels, IMAGES), samples)['loss_gsc']
        assert loss != losses['loss_gsc'], name


def views(scales):
    """What the loader hands over of the image: views of lists of one image."""
    inputs, samples = [], []
    for scale in scales:
        view = PILRescale(scale)(dict(img=IMAGE))['img']
        view = torch.from_numpy(view).permute(2, 0, 1)
        for flip in (False, True):
            inputs.append([view.flip(-1) if flip else view])
            samples.append([SegDataSample(metainfo=dict(
                img_path='a.png', ori_shape=IMAGE.shape[:2],
                tags=IMAGE_LABELS, flip=flip,
                flip_direction='horizontal'))])
    return dict(inputs=inputs, data_samples=samples)


class FakeModel(torch.nn.Module):
    """A segmentor of the features above."""

    test_step = None  # Models of test-time augmentation have one.

    def __init__(self, head):
        super().__init__()
        self.decode_head = head.eval()

    def data_preprocessor(self, data, training):
        return dict(data, inputs=torch.stack(data['inputs']).double())

    def extract_feat(self, images):
        return features(images)


@torch.no_grad()
def test_one_scale():
    head = make_head().eval()
    image = torch.from_numpy(IMAGE).permute(2, 0, 1).double()
    pair = head.answer(features(torch.stack([image, image.flip(-1)])))

    def add(maps):
        return (maps[0] + maps[1].flip(-1))[None]

    merged = ClassMaps(
        add(pair.maps), add(pair.maps).mean((2, 3)),
        extra=dict(hierarchical=add(pair.extra['hierarchical'])))
    present = torch.from_numpy(IMAGE_LABELS[1:]).bool()[None]
    close(head.general_maps(merged.maps, torch.ones_like(present)),
          NUMBERS['one_scale']['general'])
    close(head.predicted_maps(merged, present), NUMBERS['one_scale']['specific'])


def merged_seed(**options):
    merge = SIPETTAModel(FakeModel(make_head(**options)))
    result, = merge.test_step(views((1., .5, 1.5, 2.)))
    return result


def test_merged_seeds():
    result = merged_seed()
    assert result.full_seed.labels.tolist() == [1, 3, 4]
    close(result.full_seed.with_background(), NUMBERS['seeds']['maps'], rel=1e-5)
    mask = result.pred_sem_seg.data.flatten()
    assert mask.bincount(minlength=NUM_CLASSES).tolist() == NUMBERS['seeds']['mask']
    other = merged_seed(absent_compete=False).full_seed
    assert not torch.allclose(other.scores, result.full_seed.scores, atol=1e-3)


def test_walk_of_the_background_too():
    seed = merged_seed().full_seed
    rule = WalkLabel(
        dict(type='RandomWalk', power=1.5, has_background=True), own_background=True)
    walked = rule.walk(seed, EDGE[None].float())
    close(walked.with_background(), NUMBERS['walk']['maps'], rel=1e-4)
    mask = rule.decide(walked).flatten()
    assert mask.bincount(minlength=NUM_CLASSES).tolist() == NUMBERS['walk']['mask']
