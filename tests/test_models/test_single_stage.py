# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from model_cases import WEAK
from model_tester import (
    NUM_CLASSES,
    PREPROCESSOR,
    build_model,
    loss_dict,
    make_batch,
    make_views,
)

from mmwsss.models.layers import GlobalCueInjection, StochasticGate
from mmwsss.models.losses import SelfLabelLoss
from mmwsss.ops import ngwp_scores, pamr, pseudo_labels_from_masks
from mmwsss.structures.seed import strided_size

MODEL = WEAK['ngwp']


class TestNGWPHead:

    @pytest.fixture
    def model(self):
        return build_model(MODEL)

    def test_modes_of_normalisation(self, model):
        head = model.train().decode_head
        assert not head.aspp.project.bn.training
        assert head.fuse.bn.training and head.aspp.dropout.training

    def test_labels_against_the_steps(self, model):
        model.train().switch_stage('self_train')
        images = torch.rand(2, 3, 32, 32)
        maps = 3 * torch.randn(2, NUM_CLASSES - 1, 8, 8)
        present = torch.tensor([[1, 0, 1], [0, 1, 0]])
        masks = torch.cat([torch.ones(2, 1, 8, 8), maps], 1).softmax(1)
        small = F.interpolate(
            images, (8, 8), mode='bilinear', align_corners=True)
        masks = F.interpolate(
            pamr(masks, small, 2, (1, 2)), (32, 32), mode='bilinear',
            align_corners=True)
        expected = pseudo_labels_from_masks(masks, present)
        head = model.decode_head
        labels = head.self_labels(head.answer(maps), images, present)
        assert torch.equal(labels, expected)
        assert {0, 1, 255} <= set(labels[0].unique().tolist())

    def test_scores(self, model):
        with torch.no_grad():
            class_maps = model.eval().class_maps(torch.rand(1, 3, 32, 32))
        maps = class_maps.maps
        assert (class_maps.background == 1).all()
        assert maps.shape[2:] == (8, 8)
        torch.testing.assert_close(class_maps.logits, ngwp_scores(maps))
        masks = class_maps.scores.softmax(dim=1)
        assert torch.equal(class_maps.seed_background, masks[:, :1])
        assert torch.equal(class_maps.seed_maps, masks[:, 1:])

    def test_prediction_against_naive(self, model):
        head = model.eval().decode_head
        maps = torch.randn(1, NUM_CLASSES - 1, 8, 8)
        labels = np.array([1, 0, 1, 1], np.uint8)
        meta = dict(img_shape=(8, 8), tags=labels)
        masks = head.predict_by_feat(head.answer(maps), [meta])[0]
        total = np.e + maps[0].exp().sum(0)
        torch.testing.assert_close(masks[0], (np.e / total)**3)
        for c in range(1, NUM_CLASSES):
            torch.testing.assert_close(
                masks[c], labels[c] * maps[0, c - 1].exp() / total)

    def test_without_labels_improbable_classes_are_removed(self, model):
        head = model.decode_head
        maps = torch.full((1, NUM_CLASSES - 1, 8, 8), -5.)
        maps[0, 0] = 5
        class_maps = head.answer(maps)
        masks = head.predict_by_feat(class_maps, [dict(img_shape=(8, 8))])[0]
        assert masks[1].min() > 0.9 and masks[2:].max() == 0

    def test_stage_self_train_needs_images(self):
        model = build_model(dict(MODEL, type='EncoderDecoder')).train()
        model.decode_head.switch_stage('self_train')
        with pytest.raises(ValueError, match='SelfTrainSegmentor'):
            loss_dict(model, make_batch())

    def test_a_teacher_makes_the_labels(self, model):
        model.train().switch_stage('self_train')
        teacher = copy.deepcopy(model).eval()
        names = set(model.state_dict())
        with torch.no_grad():
            teacher.decode_head.classifier.weight.zero_()
            teacher.decode_head.classifier.bias.fill_(-9)
        model.set_teacher(teacher)
        assert set(model.state_dict()) == names
        # It sees background alone, so every image is discarded.
        losses = loss_dict(model, make_batch())
        assert losses['decode.kept'] == 0 and losses['decode.loss_mask'] == 0


class TestStochasticGate:

    @staticmethod
    def draw(gate, deep, shallow):
        """3000 draws at once: each element is drawn for itself."""
        return gate.train()(*(one.repeat(3000, 1, 1, 1) for one in (deep, shallow)))

    @staticmethod
    def assert_mean(draws, expected):
        """Random numbers differ between machines: five standard errors."""
        error = draws.std(0) / len(draws)**0.5
        assert ((draws.mean(0) - expected).abs() < 5 * error).all()

    def test_mean_over_draws_is_the_deep_feature(self):
        torch.manual_seed(0)
        deep, shallow = torch.rand(2, 2, 4, 5)
        draws = self.draw(StochasticGate(0.3), deep, shallow)
        assert not torch.equal(draws[0], draws[1])
        self.assert_mean(draws, deep)

    def test_mean_without_shift_is_that_of_evaluation(self):
        torch.manual_seed(0)
        deep, shallow = torch.rand(2, 2, 4, 5)
        gate = StochasticGate(0.3, shift=False)
        draws = self.draw(gate, deep, shallow)
        self.assert_mean(draws, gate.eval()(deep, shallow))

    def test_channels_of_a_pixel_are_drawn_together_if_asked(self):
        torch.manual_seed(0)
        size = (2, 8, 9, 9)
        gate = StochasticGate(0.5, shift=False, per_pixel=True).train()
        mixed = gate(torch.ones(size), torch.zeros(size))
        assert torch.equal(mixed, mixed[:, :1].expand(size))
        assert 0.3 < mixed.mean() < 0.7

    def test_evaluation(self):
        deep, shallow = torch.rand(2, 4, 5), torch.rand(2, 4, 5)
        gate = StochasticGate(0.3).eval()
        mixed = gate(deep, shallow)
        torch.testing.assert_close(mixed, 0.7 * deep + 0.3 * shallow)
        assert torch.equal(mixed, gate(deep, shallow))
        always = StochasticGate(0.3, deterministic=True).train()
        assert torch.equal(mixed, always(deep, shallow))

    def test_every_element_is_drawn_for_itself_and_batches_may_change(self):
        torch.manual_seed(0)
        gate = StochasticGate(0.5, shift=False).train()
        for size in ((2, 8, 9, 9), (1, 8, 5, 7)):
            mixed = gate(torch.ones(size), torch.zeros(size))
            assert set(mixed.unique().tolist()) == {0., 1.}
            assert 0.3 < mixed.mean() < 0.7
            per_channel = mixed.mean((0, 2, 3))
            assert per_channel.max() < 1 and per_channel.min() > 0

    def test_shapes_differ(self):
        with pytest.raises(ValueError, match='differ'):
            StochasticGate()(torch.rand(1, 2, 3, 3), torch.rand(1, 2, 4, 4))


def test_global_cue_injection_against_naive():
    torch.manual_seed(0)
    layer = GlobalCueInjection(3, 4).eval()
    shallow, deep = torch.rand(2, 3, 6, 6), torch.rand(2, 4, 6, 6)
    actual = layer(shallow, deep)
    cues = F.conv2d(deep, layer.deep.conv.weight) / (1 + 1e-5)**0.5
    cues = cues.relu().flatten(2).max(-1)[0]
    x = F.conv2d(shallow, layer.shallow.weight) / (1 + 1e-5)**0.5
    x = x * (cues[:, :4, None, None] + 1) + cues[:, 4:, None, None]
    x = F.conv2d(x.relu(), layer.out.conv.weight) / (1 + 1e-5)**0.5
    torch.testing.assert_close(actual, x.relu())
    assert 'norm.weight' not in layer.state_dict()


def naive_loss(logits, labels, tags, balance, discard):
    """Pixel by pixel."""
    num, classes, height, width = logits.shape
    total = 0.
    for n in range(num):
        counts = [int((labels[n] == c).sum()) for c in range(classes)]
        found = [c for c in range(classes) if counts[c]]
        if discard and len(found) != tags[n].sum() + 1:
            continue
        loss = 0.
        for y in range(height):
            for x in range(width):
                label = int(labels[n, y, x])
                if label == 255:
                    continue
                ce = -logits[n, :, y, x].log_softmax(0)[label]
                if balance == 'complement':
                    weight = (sum(counts) - counts[label]) / (1 + sum(counts))
                    loss = loss + weight * ce / (height * width)
                else:
                    loss = loss + ce / counts[label] / len(found)
        total = total + loss
    return total / num


class TestSelfLabelLoss:

    @pytest.mark.parametrize('balance', ['complement', 'inverse'])
    @pytest.mark.parametrize('discard', [True, False])
    def test_loss_and_gradient_against_naive(self, balance, discard):
        torch.manual_seed(0)
        logits = torch.randn(3, 3, 4, 5, requires_grad=True)
        labels = torch.randint(4, (3, 4, 5))
        labels[labels == 3] = 255
        labels[1][labels[1] == 2] = 255
        present = torch.tensor([[1, 1], [1, 1], [1, 1]])
        criterion = SelfLabelLoss(balance, discard)
        losses = [
            criterion(logits, labels, present),
            naive_loss(logits, labels, present, balance, discard)
        ]
        torch.testing.assert_close(*losses)
        gradients = [torch.autograd.grad(loss, logits)[0] for loss in losses]
        torch.testing.assert_close(*gradients)
        assert criterion.kept(labels, present).tolist() == [True, False, True]
        assert (gradients[0][1] == 0).all() == discard

    @pytest.mark.parametrize('balance', ['complement', 'inverse'])
    @pytest.mark.parametrize('label', [0, 255])
    def test_nothing_to_learn(self, balance, label):
        """All pixels undecided, or all images discarded."""
        logits = torch.full((2, 3, 4, 4), 50.)
        logits[:, 0] = -torch.inf
        logits.requires_grad_()
        labels = torch.full((2, 4, 4), label)
        loss = SelfLabelLoss(balance)(logits, labels, torch.ones(2, 2))
        assert loss == 0
        logits = torch.randn(2, 3, 4, 4, requires_grad=True)
        loss = SelfLabelLoss(balance)(logits, labels, torch.ones(2, 2))
        loss.backward()
        assert loss == 0 and (logits.grad == 0).all()

    def test_half_precision(self):
        logits = torch.randn(1, 3, 4, 4)
        labels = torch.arange(16).view(1, 4, 4) % 3
        loss = SelfLabelLoss()(logits.half(), labels, torch.ones(1, 2))
        assert loss.dtype == torch.float


class TestMaskTTA:

    def predict(self, model, image, tags, pad_size=48, **kwargs):
        tta = MODELS.build(
            dict(type='MaskTTAModel', module=model, pad_size=pad_size, **kwargs))
        with torch.no_grad():
            return tta.test_step(
                make_views(image, ((32, 40), (16, 20)), tags))[0]

    def naive(self, model, image, tags, pad_size, bg_power=3):
        head = model.decode_head
        mean = torch.tensor(PREPROCESSOR['mean'])[:, None, None]
        std = torch.tensor(PREPROCESSOR['std'])[:, None, None]
        masks, scores = [], []
        for size in ((32, 40), (16, 20)):
            scaled = F.interpolate(image[None].float(), size)[0].byte()
            x = (scaled.flip(0).float() - mean) / std
            for flip in (False, True):
                height, width = size
                side_y, side_x = max(pad_size, height), max(pad_size, width)
                top, left = (side_y - height) // 2, (side_x - width) // 2
                canvas = torch.zeros(1, 3, side_y, side_x)
                canvas[0, :, top:top + height, left:left + width] = (
                    x.flip(-1) if flip else x)
                with torch.no_grad():
                    maps = model.class_maps(canvas).maps
                one = F.interpolate(
                    head.masks(maps), (side_y, side_x), mode='bilinear',
                    align_corners=True)
                one = one[..., top:top + height, left:left + width]
                one = F.interpolate(
                    one, (32, 40), mode='bilinear', align_corners=False)[0]
                masks.append(one.flip(-1) if flip else one)
                scores.append(head.pool(maps).sigmoid()[0])
        merged = torch.stack(masks).mean(0)
        best = torch.stack(scores).amax(0)
        if tags is None:
            tags = best > head.score_thr
        else:
            tags = torch.as_tensor(tags[1:]).bool()
        merged[1:] *= tags[:, None, None]
        merged[0] **= bg_power
        return merged, best

    @pytest.fixture(scope='class')
    def model(self):
        init_default_scope('mmseg')
        model = build_model(MODEL).eval()
        with torch.no_grad():
            model.decode_head.classifier.weight.mul_(3)
        return model

    @pytest.mark.parametrize('tags, pad_size', [
        ([1, 0, 1, 1], 48), ([1, 0, 0, 0], 33), (None, None)])
    def test_against_naive(self, model, tags, pad_size):
        torch.manual_seed(1)
        image = torch.randint(256, (3, 32, 40), dtype=torch.uint8)
        result = self.predict(model, image, tags, pad_size)
        merged, best = self.naive(model, image, tags, pad_size or 0)
        torch.testing.assert_close(
            result.seg_logits.data, merged, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(
            result.pred_label_scores, best, atol=1e-5, rtol=1e-4)
        assert torch.equal(
            result.full_seed.to_mask().long(), result.pred_sem_seg.data[0])
        assert result.seed.scores.shape[1:] == strided_size((32, 40))

    def test_options_replace_those_of_the_head(self, model):
        image = torch.randint(256, (3, 32, 40), dtype=torch.uint8)
        result = self.predict(model, image, None, score_thr=1., bg_power=1.)
        assert len(result.full_seed.labels) == 0
        # A class must exceed the threshold.
        best = float(result.pred_label_scores.max())
        assert len(
            self.predict(model, image, None, score_thr=best).seed.labels) == 0
        expected = self.naive(model, image, [1, 0, 0, 0], 48, 1)[0]
        torch.testing.assert_close(
            result.seg_logits.data, expected, atol=1e-5, rtol=1e-4)
