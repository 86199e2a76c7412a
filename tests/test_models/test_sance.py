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
from model_cases import PIXEL
from model_tester import (
    LAYERS,
    NUM_CLASSES,
    PREPROCESSOR,
    build_model,
    loss_dict,
    make_batch,
    make_views,
)
from torch import nn

from mmwsss.ops import random_walk

SIZE = (40, 40)
CELLS = 10
BOX = (8, 4, 36, 32)  # x1, y1, x2, y2
BG_THR = 0.25
ROWS, COLS = slice(1, 8), slice(2, 9)
LOSS = dict(type='PathAffinityLoss', radius=3, loss_weight=2.)
CONFIG = {key: value for key, value in PIXEL['sance'].items()
          if key not in ('refine_by', 'online_walk')}
CONFIG |= dict(
    data_preprocessor=dict(PREPROCESSOR, size=SIZE),
    backbone=dict(LAYERS, frozen=False),
    decode_head=dict(CONFIG['decode_head'], loss_decode=LOSS),
    crf=dict(type='LeftIsBackground'))


@MODELS.register_module(force=True)
class LeftIsBackground(nn.Module):
    """In place of a CRF, which not every machine has."""

    has_background = True

    def forward(self, scores, guide):
        refined = F.interpolate(scores, guide.shape[2:])
        refined[:, 0, :, :guide.shape[3] // 2] = 2
        refined[:, 0, :, guide.shape[3] // 2:] = -1
        return refined


def build(**options):
    model = build_model(dict(CONFIG, **options))
    # Larger logits, so that something happens.
    nn.init.normal_(model.decode_head.fuse.weight, std=1.)
    for conv in model.auxiliary_head.convs:
        nn.init.normal_(conv.weight, std=0.2)
    return model


def batch(box=BOX):
    data = make_batch(size=SIZE)
    rng = np.random.default_rng(1)
    for sample in data['data_samples']:
        present = np.flatnonzero(sample.tags)
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
    return loss_dict(model, data or batch())


def naive_online(model, logits, contour, data_samples):
    """Eqs. 6 and 7 on the cut out rectangle; Eq. 8's two ways to refine."""
    scores, boundary = logits.softmax(1), contour.sigmoid()
    labels = torch.full((len(scores), CELLS, CELLS), 255)
    for i, sample in enumerate(data_samples):
        classes = np.flatnonzero(sample.tags)[1:]
        walked = random_walk(scores[i:i + 1, :, ROWS, COLS],
                             boundary[i:i + 1, :, ROWS, COLS], 3, 10, 256)[0]
        foreground = walked[classes]
        if model.normalize_online:
            foreground = foreground / foreground.max()
        best = foreground.max(0)
        ids = torch.as_tensor(classes)[best.indices]
        labels[i, ROWS, COLS] = torch.where(best.values > BG_THR, ids, 0)
    crf = labels.clone()
    crf[:, ROWS, 2:5] = 0  # the left half of seven columns
    pixels = torch.arange(CELLS) * 4 + 2
    saliency = torch.stack(
        [sample.gt_saliency.data[0] for sample in data_samples])
    salient = saliency[:, pixels[:, None], pixels] / 255 > 0.5
    return dict(
        plain=labels, crf=crf,
        saliency=torch.where((labels != 255) & ~salient, 0, labels))


@pytest.fixture(scope='module', params=[False, True])
def naive_terms(request):
    """Each loss on each kind of labels and its gradient, with their inputs."""
    init_default_scope('mmseg')
    model = build(normalize_online=request.param)
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
            # Eq. 5, and Eq. 4, which is twice IRN's: test_losses.py.
            ('segmentation', logits,
             F.cross_entropy(logits, labels, ignore_index=255)),
            ('contour', contour, MODELS.build(LOSS)(contour, labels))):
            gradients[branch, target], = torch.autograd.grad(loss, leaf)
            naive[branch, target] = loss.detach()
    return leaves, naive, gradients, online, request.param


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
    leaves, naive, gradients, online, normalize_online = naive_terms
    model = build(normalize_online=normalize_online, **options)
    data = model.data_preprocessor(batch(), training=True)
    inputs, samples = data['inputs'], data['data_samples']
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
    head = dict(CONFIG['decode_head'], detach_inputs=True)
    model = build(decode_head=head, online=('contour', ), refined=())
    losses = losses_of(model)
    parameters = list(model.backbone.parameters())
    contour = losses['contour.loss_seed'] + losses['contour.loss_online']
    gradients = torch.autograd.grad(contour, parameters, allow_unused=True)
    assert all(gradient is None for gradient in gradients)


def test_processes_are_neither_copied_nor_saved():
    model = build()
    for _ in range(2):
        losses_of(model)
    assert model.crf._pool is not None
    for other in (copy.deepcopy(model.crf), pickle.loads(pickle.dumps(model.crf))):
        assert other._pool is None


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
    model = build(data_preprocessor=dict(
        CONFIG['data_preprocessor'], bgr_to_rgb=False))
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
        present = np.flatnonzero(result.tags).tolist()
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


def test_wrong_labels():
    model = build(refine_by='saliency')
    for name in ('gt_sem_seg', 'gt_saliency'):
        data = batch()
        delattr(data['data_samples'][1], name)
        with pytest.raises(ValueError, match=f'1.jpg.*{name[3:6]}'):
            losses_of(model, data)
    data = batch()
    data['data_samples'][1].set_metainfo(dict(tags=np.ones(7, np.uint8)))
    with pytest.raises(ValueError, match='7 classes.*num_classes=4'):
        losses_of(model, data)


class TestTTA:

    def views(self):
        """Two scales, each with its mirror image."""
        image = make_batch(num=1, size=(40, 44))['inputs'][0]
        return make_views(image, ((40, 44), (20, 22)), [1, 1, 0, 0])

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
            classes = np.flatnonzero(result.tags)[1:]
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
        with pytest.raises(ValueError, match='a.jpg.*flipped'):
            tta.test_step(data)
