# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import copy

import pytest
import torch
from mmseg.registry import MODELS
from model_tester import (
    BACKBONE,
    NUM_CLASSES,
    PREPROCESSOR,
    ModelCase,
    make_batch,
)

from mmwsss.ops import feature_clip

STAGES = ('classify', 'expand', 'shrink')


def esol_cfg(**head) -> dict:
    return dict(
        type='WeakSegmentor',
        data_preprocessor=PREPROCESSOR,
        backbone=BACKBONE,
        decode_head=dict(
            type='ESOLHead', in_channels=32, num_classes=NUM_CLASSES, **head),
        test_cfg=dict(mode='whole'))


class TestESOL(ModelCase):
    model_cfg = esol_cfg()
    stages = STAGES

    @pytest.mark.parametrize('clip_ratio', [None, 0.15])
    def test_zero_offsets_change_nothing_but_the_clip(self, clip_ratio):
        cfg = copy.deepcopy(self.model_cfg)
        cfg['decode_head']['clip_ratio'] = clip_ratio
        torch.manual_seed(0)
        model = MODELS.build(cfg).double().eval()
        images = torch.rand(2, 3, 40, 48).double()
        with torch.no_grad():
            if clip_ratio is None:
                expected = model.class_maps(images).maps
            else:
                head = model.decode_head
                x = head.act(head.conv_1(model.extract_feat(images)[-1]))
                x = head.act(head.conv_2(feature_clip(x, clip_ratio)))
                expected = head.classifier(x)
            for stage in ('expand', 'shrink'):
                model.switch_stage(stage)
                torch.testing.assert_close(
                    model.class_maps(images).maps, expected)

    def test_only_offset_branches_learn(self):
        model = self.build()
        names = {}
        for stage in STAGES:
            model.switch_stage(stage)
            names[stage] = {
                name
                for name, p in model.named_parameters() if p.requires_grad
            }
        branch = 'decode_head.conv_{}.conv_offset.'
        for stage, number in (('expand', 1), ('shrink', 2)):
            assert names[stage] == {
                branch.format(number) + kind
                for kind in ('weight', 'bias')
            }
        model.switch_stage('classify')
        back = {n for n, p in model.named_parameters() if p.requires_grad}
        assert back == names['classify']
        assert any(name.startswith('backbone.layer4') for name in back)

    def test_expand_raises_the_classification_loss(self):
        model = self.build('expand').train()
        trainable = [p for p in model.parameters() if p.requires_grad]
        optimizer = torch.optim.SGD(trainable, lr=10.)
        values = []
        for _ in range(10):
            loss, _ = self.losses(model)
            values.append(loss.item())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        assert all(value < 0 for value in values)
        assert values[-1] < values[0]
        assert model.decode_head.conv_1.last_offset.abs().max() > 0

    def test_loss_signs_and_weights(self):
        cls = self.losses(self.build('classify'))[1]['decode.loss_cls']
        cfg = copy.deepcopy(self.model_cfg)
        cfg['decode_head'].update(
            clip_ratio=None,
            loss_expand=dict(type='InverseClassificationLoss', loss_weight=0.5),
            loss_shrink=dict(type='MultiLabelSoftMarginLoss', loss_weight=3.),
            loss_area=dict(type='AreaLoss', loss_weight=2.))
        torch.manual_seed(0)
        model = MODELS.build(cfg)
        model.init_weights()
        model.switch_stage('expand')
        logs = self.losses(model)[1]
        torch.testing.assert_close(logs['decode.loss_inverse'], -0.5 * cls)
        model.switch_stage('shrink')
        logs = self.losses(model)[1]
        torch.testing.assert_close(logs['decode.loss_cls'], 3 * cls)
        data = model.data_preprocessor(make_batch(), training=True)
        area = model.class_maps(data['inputs']).maps.sigmoid().mean()
        torch.testing.assert_close(logs['decode.loss_area'], 2 * area.detach())

    def test_shrink_input_has_no_history(self):
        model = self.build('shrink').train()
        model.decode_head.conv_1.requires_grad_(True)
        self.losses(model)[0].backward()
        assert model.decode_head.conv_1.conv_offset.weight.grad is None

    def test_identity_convolutions_are_the_plain_cam(self):
        cfg = copy.deepcopy(self.model_cfg)
        cfg['decode_head'].update(conv_init='identity')
        model = MODELS.build(cfg).eval()
        feats = model.extract_feat(torch.rand(1, 3, 32, 32))
        torch.testing.assert_close(
            model.decode_head(feats).maps,
            model.decode_head.classifier(feats[-1]))


class TestWithoutOffsets(ModelCase):
    model_cfg = esol_cfg(
        expand_offsets=False, shrink_offsets=False, loss_area=None)
    stages = STAGES

    def test_kernels_learn_instead(self):
        for stage, name in (('expand', 'conv_1'), ('shrink', 'conv_2')):
            model = self.build(stage)
            learns = [n for n, p in model.named_parameters() if p.requires_grad]
            assert learns == [f'decode_head.{name}.weight']


@pytest.mark.parametrize('bad, message', [
    (dict(stage='explode'), 'explode'),
    (dict(clip_stages=('always', )), 'always'),
    (dict(shrink_trains='everything'), 'everything'),
    (dict(kernel_size=2), 'odd'),
    (dict(conv_init='zeros'), 'zeros'),
    (dict(conv_init='identity', mid_channels=3), '32 -> 3'),
])
def test_bad_arguments(bad, message):
    with pytest.raises(ValueError, match=message):
        MODELS.build(esol_cfg(**bad))
