# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import copy
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from mmengine.logging import MessageHub
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from model_cases import ESOL_STAGES, WEAK
from model_tester import build_model, loss_dict, make_batch, strong_batch
from torch import nn

from mmwsss.models.heads import CAMHead
from mmwsss.models.losses import FSAELoss


@MODELS.register_module()
class ScoreMapHead(CAMHead):
    """A head with a background channel."""

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.background = nn.Conv2d(self.channels, 1, 1)

    def forward(self, feats):
        return replace(
            super().forward(feats),
            background=self.background(self._transform_inputs(feats)))


def naive_loss(loss, weak, strong, labels, has_background, valid):
    """Eqs. 5 to 9, pixel by pixel."""

    def softmax(scores, n, y, x, filtered):
        logits = scores[n, :, y, x]
        if not has_background:
            if loss.background == 'constant':
                background = torch.full((1, ), loss.background_logit).to(logits)
            else:
                norm = [channel.clamp(min=0) / (channel.clamp(min=0).max() + 1e-5)
                        for channel in scores[n]]
                logits = torch.stack([channel[y, x] for channel in norm])
                present = [v for c, v in enumerate(logits)
                           if not filtered or labels[n, c]]
                background = (1 - max(present)).view(1)
            logits = torch.cat([background, logits])
        keep = [0] + [c for c in range(1, len(logits))
                      if not filtered or labels[n, c - 1]]
        exps = {c: (logits[c] / loss.temperature).exp() for c in keep}
        total = sum(exps.values())
        return {c: value / total for c, value in exps.items()}

    count, total = 0, 0.
    size = weak.shape[2:]
    sure, best = np.zeros((len(weak), *size), bool), {}
    for n, y, x in np.ndindex(len(weak), *size):
        p = softmax(weak.detach(), n, y, x, loss.label_filter != 'none')
        label = max(p, key=p.get)
        best[n, y, x] = label, p[label].item()
        sure[n, y, x] = valid[n, y, x] and best[n, y, x][1] >= loss.threshold
    for n, y, x in np.ndindex(sure.shape):
        k = loss.kernel_size // 2
        near = sure[n, max(y - k, 0):y + k + 1, max(x - k, 0):x + k + 1].any()
        ring = near and valid[n, y, x] and best[n, y, x][1] >= loss.ring_threshold
        if not (sure[n, y, x] or ring):
            continue
        p = softmax(strong, n, y, x, loss.label_filter == 'both')
        total = total - p[best[n, y, x][0]].log()
        count += 1
    divisor = dict(
        mean_all=int(valid.sum()), sum=len(weak), mean_valid=count)[loss.reduction]
    return loss.loss_weight * total / divisor, count


@pytest.mark.parametrize('options, has_background', [
    (dict(), False),
    (dict(), True),
    (dict(kernel_size=1, reduction='mean_valid'), False),
    (dict(kernel_size=5, ring_threshold=0., reduction='sum'), True),
    (dict(label_filter='none', background_logit=1.), False),
    (dict(label_filter='pseudo_label', temperature=0.5, loss_weight=2.), False),
    (dict(background='one_minus_max', temperature=0.1), False),
    (dict(background='one_minus_max', temperature=0.1, label_filter='none'),
     False),
])
def test_loss_and_gradient_against_naive(options, has_background):
    torch.manual_seed(0)
    shape = (2, 4 if has_background else 3, 6, 7)
    weak = 3 * torch.randn(shape, dtype=torch.double, requires_grad=True)
    strong = torch.randn(shape, dtype=torch.double, requires_grad=True)
    labels = torch.tensor([[1., 0, 1], [0, 1, 0]])
    valid = torch.ones(2, 6, 7, dtype=torch.bool)
    valid[0, :, 5:] = False
    options = dict(options)
    options.setdefault('label_filter', 'both')
    loss = FSAELoss(**options)
    if options['label_filter'] == 'pseudo_label':
        strong.data.clamp_(-1, 1)
    classes, sure, ring = loss.pseudo_labels(
        weak, labels, has_background, valid)
    value = loss(strong, classes, sure, labels, has_background, valid)
    expected, count = naive_loss(
        loss, weak, strong, labels, has_background, valid)
    assert 0 < count < sure.numel() and sure.sum() == count
    torch.testing.assert_close(value, expected)
    gradient, = torch.autograd.grad(value, strong)
    expected_gradient, = torch.autograd.grad(expected, strong)
    torch.testing.assert_close(gradient, expected_gradient)
    assert not classes.requires_grad
    assert not (sure & ~valid).any() and not (ring & ~sure).any()


def test_ring_keeps_its_own_label():
    weak = torch.zeros(1, 2, 3, 3)
    weak[0, 0] = 2.  # class 1 with 0.87 everywhere,
    weak[0, 1, :, 2] = 4.  # class 2 with 0.87 on the right,
    weak[0, 0, :, 0] = 9.  # and class 1 surely on the left
    loss = FSAELoss(ring_threshold=0.75, kernel_size=5)
    classes, sure, ring = loss.pseudo_labels(weak)
    assert sure.all()
    assert ring[0].tolist() == [[False, True, True]] * 3
    assert classes[0].tolist() == [[1, 1, 2]] * 3


def test_maps_of_two_sizes():
    loss = FSAELoss(threshold=0.)
    classes, sure, _ = loss.pseudo_labels(torch.rand(1, 2, 3, 3))
    with pytest.raises(ValueError, match='one size'):
        loss(torch.rand(1, 2, 4, 4), classes, sure)


def fsae_cfg(head: dict | None = None, **options) -> dict:
    """FSAE on a CAM, or on another head and another base."""
    cfg = copy.deepcopy(WEAK['fsae_cam'])
    cfg.update(decode_head=cfg['decode_head'] | (head or {}), **options)
    return cfg


def plain(cfg: dict) -> dict:
    """The config of the base."""
    cfg = dict(cfg, type='WeakSegmentor')
    del cfg['loss_fsae']
    return cfg


def grid_inputs():
    """The labels of the strong batch, and its cells that hold no padding."""
    valid = torch.zeros(2, 4, 4, dtype=torch.bool)
    valid[:, :, :2] = True
    return torch.tensor([[1., 0, 0], [0, 1, 0]]), valid


def losses_of(model, batch=None):
    return loss_dict(model, batch or strong_batch())


class TestFSAEOnCAM:
    cfg = fsae_cfg()

    def build(self):
        return build_model(self.cfg).train()

    def base(self):
        return build_model(plain(self.cfg)).train()

    def test_nothing_added_and_inference_as_the_base(self):
        model, base = self.build().eval(), self.base().eval()
        assert isinstance(model, type(base))
        assert list(model.state_dict()) == list(base.state_dict())
        assert len(list(model.parameters())) == len(list(base.parameters()))
        with torch.no_grad():
            for ours, theirs in zip(
                    model.test_step(make_batch()),
                    base.test_step(make_batch()), strict=True):
                assert torch.equal(ours.seg_logits.data, theirs.seg_logits.data)

    def test_base_losses_are_untouched(self):
        losses, expected = (
            losses_of(model) for model in (self.build(), self.base()))
        for name, value in expected.items():
            assert torch.equal(losses.pop(name), value)
        assert set(losses) == {
            'loss_fsae', 'fsae.covered', 'fsae.ring', 'fsae.background'}
        assert losses['loss_fsae'] > 0

    def test_loss_is_that_of_the_strong_view(self):
        model = self.build()
        batch = strong_batch()
        value = losses_of(model, batch)['loss_fsae']
        weak = model.data_preprocessor(batch, training=True)['inputs']
        strong = model.data_preprocessor(
            dict(inputs=[s.strong_img.data for s in batch['data_samples']],
                 data_samples=batch['data_samples']), training=True)['inputs']
        labels, valid = grid_inputs()
        with torch.no_grad():
            weak, strong = model.class_maps(weak), model.class_maps(strong)
            expected, count = naive_loss(
                model.loss_fsae, weak.scores, strong.scores, labels,
                weak.background is not None, valid)
        assert count
        torch.testing.assert_close(value.detach(), expected)

    def test_no_gradient_reaches_the_weak_view(self):
        model = self.build()
        data = model.data_preprocessor(strong_batch(), training=True)
        data['inputs'].requires_grad_()
        for sample in data['data_samples']:
            sample.strong_img.data = sample.strong_img.data.float(
            ).requires_grad_()
        losses = model(**data, mode='loss')
        weak, *strong = torch.autograd.grad(
            losses['loss_fsae'],
            [data['inputs'],
             *(s.strong_img.data for s in data['data_samples'])],
            allow_unused=True)
        assert weak is None
        assert all(g is not None and g.abs().sum() > 0 for g in strong)

    def test_threshold_above_one_adds_exactly_nothing(self):
        model, base = self.build(), self.base()
        model.loss_fsae.threshold = 1.01
        for one in (model, base):
            loss, logs = one.parse_losses(losses_of(one))
            loss.backward()
        assert logs['loss'] == loss
        for (name, p), (_, q) in zip(
                model.named_parameters(), base.named_parameters(), strict=True):
            assert (p.grad is None and q.grad is None) or torch.equal(
                p.grad, q.grad), name
        for key, value in base.state_dict().items():
            assert torch.equal(model.state_dict()[key], value), key

    def test_teacher_labels_the_weak_view(self):
        model, teacher = self.build(), self.build().eval()
        for parameter in teacher.decode_head.parameters():
            parameter.data.zero_()
        names = set(model.state_dict())
        model.set_teacher(teacher)
        assert set(model.state_dict()) == names
        assert all(m is not teacher for m in model.modules())
        # A teacher without opinion: two equal logits an image.
        losses = losses_of(model)
        assert losses['fsae.covered'] == 1
        assert losses['fsae.background'] == 1 and losses['fsae.ring'] == 0

    def test_without_a_strong_view(self):
        with pytest.raises(ValueError, match='0.jpg .* StrongView'):
            losses_of(self.build(), make_batch())

    def test_accuracy_where_masks_are(self):
        model, batch = self.build(), strong_batch()
        for sample in batch['data_samples']:
            mask = torch.zeros(1, 32, 32, dtype=torch.long)
            mask[:, 16:] = 255
            sample.gt_sem_seg = PixelData(data=mask)
        losses = losses_of(model, batch)
        data = model.data_preprocessor(batch, training=True)
        labels, valid = grid_inputs()
        weak = model.class_maps(data['inputs'])
        classes, sure, _ = model.loss_fsae.pseudo_labels(
            weak.scores, labels, weak.background is not None, valid)
        upper = (classes == 0)[:, :2][sure[:, :2]]
        assert len(upper)
        assert losses['fsae.accuracy'] == pytest.approx(
            upper.float().mean().item())
        assert losses['fsae.covered'] == sure.sum() / valid.sum()


class TestFSAEWithBackgroundChannel(TestFSAEOnCAM):
    cfg = fsae_cfg(dict(type='ScoreMapHead'))

    def test_the_background_learns(self):
        model = self.build()
        sum(losses_of(model).values()).backward()
        assert model.decode_head.background.weight.grad.abs().sum() > 0


def test_only_in_its_stage_the_head_runs_once_a_view():
    model, runs = build_model(WEAK['fsae_esol']).train(), []
    model.decode_head.classifier.register_forward_hook(
        lambda *args: runs.append(1))
    for stage in ESOL_STAGES:
        model.switch_stage(stage)
        runs.clear()
        on = stage == 'classify'
        assert ('loss_fsae' in losses_of(model)) == on
        assert len(runs) == 1 + on


def test_stock_head():
    """Pixel labels train mmseg's own heads; FSAE compares their logits."""
    head = dict(type='FCNHead', in_index=3, channels=4, num_convs=1)
    model = build_model(fsae_cfg(head, base='EncoderDecoder')).train()
    batch = strong_batch()
    for sample in batch['data_samples']:
        sample.gt_sem_seg = PixelData(data=torch.zeros(1, 32, 32).long())
    assert {'decode.loss_ce', 'loss_fsae'} <= set(losses_of(model, batch))
    images = torch.rand(2, 3, 32, 32)
    model.eval()
    with torch.no_grad():
        class_maps = model.class_maps(images)
        logits = model.decode_head(model.extract_feat(images))
    assert class_maps.background.shape == (2, 1, 4, 4)
    assert torch.equal(class_maps.scores, logits)


def test_stock_segmentor():
    model = build_model(fsae_cfg(base='EncoderDecoder')).train()
    assert {'decode.loss_cls', 'loss_fsae'} <= set(losses_of(model))


@pytest.mark.parametrize('stage', ['pretrain', 'self_train'])
def test_single_stage(stage):
    """Its head has a background logit, its segmentor passes images on."""
    model = build_model(
        fsae_cfg(WEAK['ngwp']['decode_head'], base='SelfTrainSegmentor'),
        stage).train()
    model.set_teacher(copy.deepcopy(model).eval())
    loss, logs = model.parse_losses(losses_of(model))
    assert {'decode.loss_cls', 'loss_fsae'} <= set(logs)
    assert logs['loss_fsae'] > 0
    loss.backward()
    assert model.decode_head.classifier.weight.grad.abs().sum() > 0


def test_start_iter(monkeypatch):
    model = build_model(fsae_cfg(start_iter=5)).train()
    hub = MessageHub.get_current_instance()
    for iteration, on in ((0, False), (4, False), (5, True)):
        monkeypatch.setitem(hub.runtime_info, 'iter', iteration)
        assert ('loss_fsae' in losses_of(model)) == on


def test_loss_is_finite_for_half_precision():
    weak = (20 * torch.randn(1, 3, 4, 4)).half()
    loss = FSAELoss()
    labels = torch.tensor([[1., 0, 0]])
    classes, sure, _ = loss.pseudo_labels(weak, labels)
    value = loss(-weak, classes, sure, labels)
    assert value.dtype == torch.float32 and math.isfinite(value)
