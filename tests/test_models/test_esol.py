# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import pytest
import torch
from model_cases import ESOL_STAGES, WEAK, weak
from model_tester import build_model, loss_dict, make_batch

from mmwsss.ops import feature_clip


@pytest.mark.parametrize('clip_ratio', [None, 0.15])
def test_zero_offsets_change_nothing_but_the_clip(clip_ratio):
    model = build_model(weak('ESOLHead', clip_ratio=clip_ratio)).double().eval()
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
            torch.testing.assert_close(model.class_maps(images).maps, expected)


@pytest.mark.parametrize('name, expand, shrink', [
    ('esol', ('conv_1.conv_offset.weight', 'conv_1.conv_offset.bias'),
     ('conv_2.conv_offset.weight', 'conv_2.conv_offset.bias')),
    ('esol_without_offsets', ('conv_1.weight', ), ('conv_2.weight', ))])
def test_what_learns_in_a_stage(name, expand, shrink):
    model = build_model(WEAK[name])
    names = {}
    for stage in (*ESOL_STAGES, 'classify'):
        model.switch_stage(stage)
        before = names.get(stage)
        names[stage] = {n for n, p in model.named_parameters() if p.requires_grad}
        assert before in (None, names[stage])
    assert names['expand'] == {f'decode_head.{name}' for name in expand}
    assert names['shrink'] == {f'decode_head.{name}' for name in shrink}
    assert any(name.startswith('backbone.layer4') for name in names['classify'])


def test_loss_signs_and_weights():
    cls = loss_dict(
        build_model(weak('ESOLHead'), 'classify'), make_batch())['decode.loss_cls']
    model = build_model(weak(
        'ESOLHead', clip_ratio=None,
        loss_expand=dict(type='InverseClassificationLoss', loss_weight=0.5),
        loss_shrink=dict(type='MultiLabelSoftMarginLoss', loss_weight=3.),
        loss_area=dict(type='AreaLoss', loss_weight=2.)), 'expand')
    losses = loss_dict(model, make_batch())
    torch.testing.assert_close(losses['decode.loss_inverse'], -0.5 * cls)
    model.switch_stage('shrink')
    losses = loss_dict(model, make_batch())
    torch.testing.assert_close(losses['decode.loss_cls'], 3 * cls)
    data = model.data_preprocessor(make_batch(), training=True)
    area = model.class_maps(data['inputs']).maps.sigmoid().mean()
    torch.testing.assert_close(losses['decode.loss_area'], 2 * area)


def test_shrink_input_has_no_history():
    model = build_model(WEAK['esol'], 'shrink').train()
    model.decode_head.conv_1.requires_grad_(True)
    sum(loss_dict(model, make_batch()).values()).backward()
    assert model.decode_head.conv_1.conv_offset.weight.grad is None


def test_identity_convolutions_are_the_plain_cam():
    model = build_model(weak('ESOLHead', conv_init='identity')).eval()
    feats = model.extract_feat(torch.rand(1, 3, 32, 32))
    torch.testing.assert_close(
        model.decode_head(feats).maps, model.decode_head.classifier(feats[-1]))
