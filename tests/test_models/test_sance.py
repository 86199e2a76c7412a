# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import copy
import pickle

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.logging import MessageHub
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from model_tester import BACKBONE, NUM_CLASSES, PREPROCESSOR, ModelCase, make_batch
from torch import nn

from mmwsss.ops import random_walk
from mmwsss.structures import LabelGrid

SIZE = (40, 40)
CELLS = 10
BOX = (8, 4, 36, 32)  # x1, y1, x2, y2
ROWS, COLS = slice(1, 8), slice(2, 9)


@MODELS.register_module(force=True)
class LeftIsBackground(nn.Module):
    """In place of a CRF, which not every machine has."""

    has_background = True

    def forward(self, scores, guide):
        refined = F.interpolate(scores, guide.shape[2:])
        refined[:, 0, :, :guide.shape[3] // 2] = 2
        refined[:, 0, :, guide.shape[3] // 2:] = -1
        return refined


def sance_cfg(**kwargs):
    return dict(
        dict(
            type='SANCE',
            data_preprocessor=dict(PREPROCESSOR, size=SIZE),
            backbone=dict(BACKBONE, dilations=(1, 1, 2, 4), frozen_stages=-1),
            decode_head=dict(
                type='ContourHead',
                in_channels=(4, 8, 16, 32),
                in_index=(0, 1, 2, 3),
                size_index=0,
                reduced_channels=4,
                groups=2,
                num_classes=NUM_CLASSES,
                detach_inputs=False,
                loss_decode=dict(
                    type='PathAffinityLoss', radius=3, loss_weight=2.)),
            auxiliary_head=dict(
                type='SummedASPPHead',
                in_channels=32,
                in_index=3,
                dilations=(1, 2),
                num_classes=NUM_CLASSES,
                align_corners=False,
                loss_decode=dict(type='PixelCrossEntropyLoss')),
            crf=dict(type='LeftIsBackground'),
            train_cfg=dict(),
            test_cfg=dict(mode='whole')), **kwargs)


def build(**kwargs):
    case = ModelCase()
    case.model_cfg = sance_cfg(**kwargs)
    model = case.build()
    # Larger logits, so that something happens.
    nn.init.normal_(model.decode_head.fuse.weight, std=1.)
    for conv in model.auxiliary_head.convs:
        nn.init.normal_(conv.weight, std=0.2)
    return model


def batch(box=BOX):
    data = make_batch(size=SIZE)
    rng = np.random.default_rng(1)
    for sample in data['data_samples']:
        present = np.flatnonzero(sample.image_labels)
        label = np.full(SIZE, 255)
        x1, y1, x2, y2 = box
        coarse = rng.choice([*present, 255], (SIZE[0] // 8, SIZE[1] // 8))
        label[y1:y2, x1:x2] = coarse.repeat(8, 0).repeat(8, 1)[y1:y2, x1:x2]
        sample.gt_sem_seg = PixelData(data=torch.from_numpy(label)[None])
        saliency = rng.integers(0, 256, (1, *SIZE), dtype=np.uint8)
        sample.gt_saliency = PixelData(data=torch.from_numpy(saliency))
        sample.set_metainfo(dict(valid_box=box))
    return data


def losses_of(model, data=None):
    data = model.data_preprocessor(data or batch(), training=True)
    return model(**data, mode='loss')


def naive_contour_loss(boundary, label, radius=3):
    """Eq. 4 pair by pair, of boundaries (N, h, w) and labels (N, h, w)."""
    terms = dict(bg=[], fg=[], neg=[])
    num, height, width = boundary.shape
    reach = radius - 1
    for i in range(num):
        for y in range(height - reach):
            for x in range(reach, width - reach):
                for dy in range(radius):
                    for dx in range(-reach, radius):
                        if (dy, dx) <= (0, 0) or dy**2 + dx**2 >= radius**2:
                            continue
                        a = label[i, y, x]
                        b = label[i, y + dy, x + dx]
                        if a == 255 or b == 255:
                            continue
                        path = [
                            boundary[i, y + py, x + px]
                            for py in range(dy + 1)
                            for px in range(min(dx, 0), max(dx, 0) + 1)
                            if (dy * px - dx * py)**2 < dy**2 + dx**2
                        ]
                        affinity = 1 - torch.stack(path).amax()
                        if a != b:
                            terms['neg'].append(
                                -torch.log(1 + 1e-5 - affinity))
                        else:
                            terms['fg' if a else 'bg'].append(
                                -torch.log(affinity + 1e-5))
    means = {
        name: torch.stack(some).mean() if some else torch.tensor(0.)
        for name, some in terms.items()
    }
    return means['bg'] / 2 + means['fg'] / 2 + means['neg']


def naive_segmentation_loss(logits, label):
    """Eq. 5."""
    log_probs = logits.log_softmax(dim=1)
    picked = [
        -log_probs[i, label[i, y, x], y, x] for i in range(len(label))
        for y in range(label.shape[1]) for x in range(label.shape[2])
        if label[i, y, x] != 255
    ]
    return torch.stack(picked).mean()


def naive_online(model, logits, contour, data_samples):
    """Eqs. 6 and 7 on the cut out rectangle; Eq. 8's two ways to refine."""
    scores, boundary = logits.softmax(1), contour.sigmoid()
    labels = torch.full((len(scores), CELLS, CELLS), 255)
    for i, sample in enumerate(data_samples):
        classes = np.flatnonzero(sample.image_labels)[1:]
        walked = random_walk(scores[i:i + 1, :, ROWS, COLS],
                             boundary[i:i + 1, :, ROWS, COLS], 3, 10, 256)[0]
        foreground = walked[classes] / walked[classes].max()
        best = foreground.max(0)
        ids = torch.as_tensor(classes)[best.indices]
        labels[i, ROWS, COLS] = torch.where(best.values > 0.25, ids, 0)
    crf = labels.clone()
    crf[:, ROWS, 2:5] = 0  # the left half of seven columns
    pixels = torch.arange(CELLS) * 4 + 2
    saliency = torch.stack(
        [sample.gt_saliency.data[0] for sample in data_samples])
    salient = saliency[:, pixels[:, None], pixels] / 255 > 0.5
    return dict(
        plain=labels, crf=crf,
        saliency=torch.where((labels != 255) & ~salient, 0, labels))


@pytest.fixture(scope='module')
def naive_terms():
    """Each loss on each kind of labels and its gradient, with their inputs."""
    init_default_scope('mmseg')
    model = build()
    data = model.data_preprocessor(batch(), training=True)
    leaves = tuple(one.detach().requires_grad_()
                   for one in model.maps(data['inputs']))
    logits, contour = leaves
    pixels = torch.arange(CELLS) * 4 + 2
    online = naive_online(
        model, logits.detach(), contour.detach(), data['data_samples'])
    seeds = torch.stack([
        sample.gt_sem_seg.data[0][pixels[:, None], pixels]
        for sample in data['data_samples']
    ])
    naive, gradients = {}, {}
    for target, labels in dict(online, seeds=seeds).items():
        for branch, leaf, loss in (
            ('segmentation', logits, naive_segmentation_loss(logits, labels)),
            ('contour', contour,
             naive_contour_loss(contour[:, 0].sigmoid(), labels))):
            gradients[branch, target], = torch.autograd.grad(loss, leaf)
            naive[branch, target] = loss.detach()
    return leaves, naive, gradients, online


@pytest.mark.parametrize('options, targets', [
    (dict(), ('crf', 'plain')),
    (dict(refined=()), ('plain', 'plain')),
    (dict(refined=('segmentation', )), ('plain', 'crf')),
    (dict(refined=('contour', 'segmentation')), ('crf', 'crf')),
    (dict(refine_by='saliency'), ('saliency', 'plain')),
    (dict(online=('contour', ), refined=()), ('plain', None)),
    (dict(online=('segmentation', ), refined=()), (None, 'plain')),
    (dict(online=()), (None, None)),
])
def test_losses_and_gradients_against_naive_code(options, targets, naive_terms):
    """The rows of Tables 3 and 4."""
    model = build(**options)
    data = model.data_preprocessor(batch(), training=True)
    inputs, samples = data['inputs'], data['data_samples']
    leaves, naive, gradients, online = naive_terms
    model.maps = lambda images: leaves
    losses = model.loss(inputs, samples)
    total, _ = model.parse_losses(losses)
    ours = torch.autograd.grad(total, leaves)

    terms = {'contour.loss_seed': 'seeds', 'segmentation.loss_seed': 'seeds'}
    for branch, target in zip(('contour', 'segmentation'), targets, strict=True):
        if target:
            terms[f'{branch}.loss_online'] = target
    assert set(losses) == set(terms)
    expected = [0., 0.]
    for name, target in terms.items():
        branch = name.split('.')[0]
        torch.testing.assert_close(
            losses[name], naive[branch, target], rtol=1e-4, atol=1e-4)
        expected[branch == 'contour'] += gradients[branch, target]
    # The labels are not all of one kind, and each refinement changes them.
    assert len(online['plain'].unique()) >= 3
    for name in ('crf', 'saliency'):
        assert not torch.equal(online[name], online['plain'])
    for one, other in zip(ours, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize('iteration, on', [(0, False), (4, False), (5, True)])
def test_online_labels_begin_later(monkeypatch, iteration, on):
    hub = MessageHub.get_current_instance()
    monkeypatch.setitem(hub.runtime_info, 'iter', iteration)
    losses = losses_of(build(start_iter=5))
    assert ('contour.loss_online' in losses) == on
    assert ('segmentation.loss_online' in losses) == on
    assert 'contour.loss_seed' in losses


def test_only_the_rectangle_is_supervised():
    model = build()
    data = model.data_preprocessor(batch(), training=True)
    maps = [one.detach().requires_grad_() for one in model.maps(data['inputs'])]
    model.maps = lambda images: tuple(maps)
    total, _ = model.parse_losses(model.loss(**data))
    for gradient in torch.autograd.grad(total, maps):
        assert gradient[:, :, ROWS, COLS].abs().sum() > 0
        outside = gradient.clone()
        outside[:, :, ROWS, COLS] = 0
        assert not outside.any()


def test_a_rectangle_without_a_cell():
    losses = losses_of(build(), batch(box=(11, 0, 12, 40)))
    assert all(torch.isfinite(value) for value in losses.values())


def test_detached_taps():
    cfg = sance_cfg(online=('contour', ), refined=())
    cfg['decode_head']['detach_inputs'] = True
    model = MODELS.build(cfg)
    losses = losses_of(model)
    parameters = list(model.backbone.parameters())
    contour = losses['contour.loss_seed'] + losses['contour.loss_online']
    gradients = torch.autograd.grad(contour, parameters, allow_unused=True)
    assert all(gradient is None for gradient in gradients)


def test_workers_refine_as_this_process_does():
    # Workers do not know the classes of this file: the real CRF.
    crf = dict(type='DenseCRF', preset='deeplab', scale_factor=4, num_iter=2)
    here, there = build(crf=crf), build(crf=crf, crf_jobs=1)
    try:
        for _ in range(2):
            one, other = losses_of(here), losses_of(there)
            assert {k: float(v) for k, v in one.items()
                    } == {k: float(v) for k, v in other.items()}
        # Processes are neither copied nor saved with the model.
        twin = copy.deepcopy(there)
        assert twin.crf._pool is None
        pickle.loads(pickle.dumps(there.crf))
    finally:
        there.crf._pool.close()


def test_full_resolution_crf():
    losses = losses_of(build(crf_stride=1))
    assert torch.equal(losses['contour.loss_online'],
                       losses_of(build())['contour.loss_online'])


def test_images_are_restored():
    data = make_batch(size=SIZE)
    model = build()
    inputs = model.data_preprocessor(copy.deepcopy(data), True)['inputs']
    images = torch.stack(data['inputs']).flip(1).float()
    # Some roundings of numbers up to 255.
    exact = dict(rtol=0, atol=4 * 255 * torch.finfo(torch.float).eps)
    torch.testing.assert_close(model._images(inputs), images, **exact)
    cfg = sance_cfg()
    cfg['data_preprocessor'].update(bgr_to_rgb=False)
    model = MODELS.build(cfg)
    inputs = model.data_preprocessor(copy.deepcopy(data), True)['inputs']
    torch.testing.assert_close(model._images(inputs), images, **exact)


def test_predict():
    model = build().eval()
    data = make_batch(size=(45, 47))
    for sample in data['data_samples']:
        sample.set_metainfo(dict(ori_shape=(45, 47)))
    with torch.no_grad():
        results = model.test_step(copy.deepcopy(data))
    for result in results:
        present = np.flatnonzero(result.image_labels).tolist()
        assert result.seed.labels.tolist() == present[1:]
        assert result.seed.scores.shape[1:] == (12, 12)
        assert result.seed.scores.max() == pytest.approx(1)
        mask = result.pred_sem_seg.data
        assert mask.shape == (1, 45, 47)
        assert set(mask.unique().tolist()) <= set(present)
        boundary = result.pred_boundary.data
        assert boundary.shape == (1, 45, 47)
        assert 0 <= boundary.min() and boundary.max() <= 1
    with torch.no_grad():
        free = model(torch.rand(1, 3, 32, 32), mode='predict')[0]
    assert len(free.seed.labels) == NUM_CLASSES - 1
    model.test_cfg['walk'] = False
    with torch.no_grad():
        plain = model.test_step(copy.deepcopy(data))[0]
    assert 'seed' not in plain
    assert torch.equal(plain.pred_boundary.data, results[0].pred_boundary.data)


def test_labels_of_another_class_count():
    model = build()
    data = batch()
    for sample in data['data_samples']:
        sample.set_metainfo(dict(image_labels=np.ones(7, np.uint8)))
    with pytest.raises(ValueError, match='7 classes.*num_classes=4'):
        losses_of(model, data)


@pytest.mark.parametrize('name', ['gt_sem_seg', 'gt_saliency'])
def test_missing_labels(name):
    data = batch()
    delattr(data['data_samples'][1], name)
    with pytest.raises(ValueError, match=f'1.jpg.*{name[3:6]}'):
        losses_of(build(refine_by='saliency'), data)


@pytest.mark.parametrize('bad, message', [
    (dict(online=('edge', )), 'online'),
    (dict(refined=('edge', )), 'refined'),
    (dict(refine_by='luck'), 'luck'),
    (dict(crf_stride=3), 'stride'),
    (dict(auxiliary_head=None), 'auxiliary_head'),
])
def test_bad_arguments(bad, message):
    with pytest.raises(ValueError, match=message):
        MODELS.build(sance_cfg(**bad))


class TestTTA:

    def views(self, size=(40, 44)):
        base = make_batch(num=1, size=size)
        image, sample = base['inputs'][0], base['data_samples'][0]
        sample.set_metainfo(dict(ori_shape=size, flip=False))
        inputs, samples = [], []
        for scale in (1., 0.5):
            scaled = F.interpolate(
                image[None].float(), scale_factor=scale, mode='bilinear')[0]
            for flip in (False, True):
                one = sample.clone()
                one.set_metainfo(
                    dict(flip=flip, flip_direction='horizontal',
                         img_shape=tuple(scaled.shape[1:])))
                inputs.append([scaled.flip(-1) if flip else scaled])
                samples.append([one])
        return dict(inputs=inputs, data_samples=samples)

    def test_against_naive_average(self):
        model = build().eval()
        tta = MODELS.build(dict(type='SANCETTAModel', module=model))
        data = self.views()
        with torch.no_grad():
            result, = tta.test_step(copy.deepcopy(data))
            scores, boundaries = [], []
            for image, sample in zip(
                    data['inputs'], data['data_samples'], strict=True):
                one = model.data_preprocessor(
                    dict(inputs=image, data_samples=sample), False)
                logits, contour = model.maps(one['inputs'])
                maps = [F.interpolate(m, (10, 11), mode='bilinear')
                        for m in (logits.softmax(1), contour.sigmoid())]
                if sample[0].flip:
                    maps = [m.flip(-1) for m in maps]
                scores.append(maps[0])
                boundaries.append(maps[1])
            classes = np.flatnonzero(result.image_labels)[1:]
            walked = random_walk(
                sum(scores)[:, classes] / 4, sum(boundaries) / 4, 5, 10, 256)
        torch.testing.assert_close(
            result.seed.scores, (walked / walked.max())[0])
        assert result.pred_sem_seg.data.shape == (1, 40, 44)
        assert not result.flip

    def test_one_view_is_a_plain_prediction(self):
        model = build().eval()
        data = {key: one[:1] for key, one in self.views().items()}
        plain = dict(inputs=data['inputs'][0], data_samples=data['data_samples'][0])
        for average_logits in (False, True):
            tta = MODELS.build(dict(
                type='SANCETTAModel', module=model,
                average_logits=average_logits))
            with torch.no_grad():
                one, = tta.test_step(copy.deepcopy(data))
                other, = model.test_step(copy.deepcopy(plain))
            torch.testing.assert_close(one.seed.scores, other.seed.scores)

    def test_contours_guide_the_walk_of_a_cam(self):
        """The rows of Table 1 that propagate the CAM."""
        tta = MODELS.build(
            dict(type='WalkTTAModel', module=build().eval(), pad_size=16))
        result, = tta.test_step(self.views())
        assert result.guide.shape == (1, 1, 10, 11)
        assert 0 <= result.guide.min() and result.guide.max() <= 1

    def test_only_flips_are_an_error(self):
        data = {key: one[1:2] for key, one in self.views().items()}
        tta = MODELS.build(dict(type='SANCETTAModel', module=build().eval()))
        with pytest.raises(ValueError, match='0.jpg.*flipped'):
            tta.test_step(data)


def test_grid():
    grid = LabelGrid((16, 12), (4, 3))
    image = torch.arange(16 * 12).reshape(16, 12)
    exact = F.interpolate(
        image[None, None].float(), (4, 3), mode='nearest-exact')[0, 0]
    assert torch.equal(grid.sample(image), exact.long())
    assert grid.box(None) == (slice(0, 4), slice(0, 3))
    assert grid.box((2, 3, 7, 16)) == (slice(1, 4), slice(0, 2))
    with pytest.raises(ValueError, match=r'\(16, 12\)'):
        grid.sample(image[1:])
