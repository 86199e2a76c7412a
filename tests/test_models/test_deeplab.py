# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import copy

import model_tester
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.config import ConfigDict
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from PIL import Image
from torch import nn

NUM_CLASSES = 5
BACKBONE = dict(model_tester.BACKBONE, dilations=(1, 1, 2, 4))
NORM = dict(type='BN', requires_grad=False)
LOSS = dict(type='PixelCrossEntropyLoss')
HEAD = dict(in_channels=32, in_index=3, num_classes=NUM_CLASSES, loss_decode=LOSS)
HEADS = dict(
    v1=dict(type='LargeFOVHead', channels=8, norm_cfg=NORM, **HEAD),
    v2=dict(type='SummedASPPHead', **HEAD),
    v2_b=dict(type='ConcatASPPHead', channels=8, norm_cfg=NORM, **HEAD))
MULTI_SCALE = dict(
    type='MultiScaleSegmentor',
    backbone=dict(BACKBONE, norm_cfg=NORM, norm_eval=True),
    decode_head=HEADS['v2'],
    train_cfg=dict(),
    test_cfg=ConfigDict(mode='whole'))


def build(cfg):
    torch.manual_seed(0)
    model = MODELS.build(copy.deepcopy(cfg))
    model.init_weights()
    return model


def make_samples(num=2, size=(65, 65), ori_shape=None):
    generator = torch.Generator().manual_seed(0)
    samples = []
    for _ in range(num):
        label = torch.randint(NUM_CLASSES, (1, *size), generator=generator)
        label[:, :5] = 255
        samples.append(
            SegDataSample(
                gt_sem_seg=PixelData(data=label),
                metainfo=dict(img_shape=size, ori_shape=ori_shape or size)))
    return samples


def test_summed_aspp_is_the_sum_of_its_branches():
    head = build(HEADS['v2']).eval()
    feature = torch.randn(1, 32, 9, 9)
    expected = sum(
        F.conv2d(feature, conv.weight, conv.bias, padding=rate, dilation=rate)
        for conv, rate in zip(head.convs, (6, 12, 18, 24), strict=True))
    torch.testing.assert_close(head([None] * 3 + [feature]), expected)
    assert not hasattr(head, 'conv_seg')
    for conv in head.convs:
        assert 0.008 < conv.weight.std() < 0.012
        assert not conv.bias.any()


def test_heads_drop_single_elements():
    for name in ('v1', 'v2_b'):
        dropouts = [
            m for m in build(HEADS[name]).modules()
            if isinstance(m, nn.modules.dropout._DropoutNd)
        ]
        assert dropouts and all(type(m) is nn.Dropout for m in dropouts)


def test_multi_scale_outputs_have_published_sizes():
    model = build(dict(MULTI_SCALE, backbone=dict(
        type='CaffeResNet', depth=50, base_channels=2),
        decode_head=dict(HEADS['v2'], in_channels=64))).eval()
    with torch.no_grad():
        logits = model.multi_scale_logits(torch.randn(1, 3, 321, 321))
    sizes = {name: tuple(x.shape[2:]) for name, x in logits.items()}
    assert sizes == {
        '1x': (41, 41), '0.5x': (21, 21), '0.75x': (31, 31), 'max': (41, 41)
    }
    upsampled = [
        F.interpolate(logits[name], (41, 41), mode='bilinear')
        for name in ('1x', '0.5x', '0.75x')
    ]
    expected = torch.maximum(torch.maximum(*upsampled[:2]), upsampled[2])
    assert torch.equal(logits['max'], expected)


def test_multi_scale_loss_is_the_sum_of_plain_losses_on_pil_labels():
    model = build(MULTI_SCALE).train()
    inputs, samples = torch.randn(2, 3, 65, 49), make_samples(size=(65, 49))
    losses = model(inputs, samples, mode='loss')
    total, _ = model.parse_losses(losses)
    expected = 0
    for logits in model.multi_scale_logits(inputs).values():
        height, width = logits.shape[2:]
        labels = [
            np.array(
                Image.fromarray(
                    sample.gt_sem_seg.data[0].numpy().astype(np.uint8)).resize(
                        (width, height), Image.Resampling.NEAREST))
            for sample in samples
        ]
        labels = torch.from_numpy(np.stack(labels)).long()
        expected += F.cross_entropy(logits, labels, ignore_index=255)
    torch.testing.assert_close(total, expected)


@pytest.mark.parametrize('old', [321, 96, 65])
def test_labels_are_sampled_as_pil_does(old):
    from mmwsss.models.segmentors.multi_scale_segmentor import _resize_label
    label = torch.arange(old).repeat(old, 1)
    sample = SegDataSample(gt_sem_seg=PixelData(data=label[None]))
    for new in (41, 31, 30, 21, 13, 12, 9, 7):
        expected = Image.fromarray(label.int().numpy()).resize(
            (new, new + 1), Image.Resampling.NEAREST)
        resized = _resize_label(sample, (new + 1, new)).gt_sem_seg.data
        assert resized.shape == (1, new + 1, new)
        assert np.array_equal(resized[0].numpy(), np.array(expected))


def test_multi_scale_takes_no_auxiliary_head():
    with pytest.raises(ValueError, match='auxiliary_head'):
        build(dict(MULTI_SCALE, auxiliary_head=HEADS['v2']))


def test_caffe_resnet_differs_from_mmseg_only_in_stride_and_pool():
    backbone = build(dict(type='CaffeResNet', depth=50, base_channels=2))
    backbone.train()
    x = torch.randn(1, 3, 80, 64)
    # A stem of 40 x 32 pools to 21 x 17, where rounding down gives 20 x 16.
    assert [tuple(f.shape[2:]) for f in backbone(x)] == [
        (21, 17), (11, 9), (11, 9), (11, 9)
    ]
    for i, (stride, dilation) in enumerate(
            zip((1, 2, 1, 1), (1, 1, 2, 4), strict=True)):
        for j, block in enumerate(getattr(backbone, f'layer{i + 1}')):
            assert block.conv1.stride[0] == (stride if j == 0 else 1)
            assert block.conv2.stride[0] == 1
            assert block.conv2.dilation[0] == dilation
    for module in backbone.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert not module.training
            assert not module.weight.requires_grad


def test_vgg16_large_fov_keeps_stride_8_and_torchvision_names():
    from torchvision.models import vgg16
    with torch.device('meta'):
        backbone = MODELS.build(dict(type='VGG16LargeFOV'))
        theirs = {
            name: value.shape
            for name, value in vgg16().features.state_dict().items()
        }
    ours = {
        name.removeprefix('features.'): value.shape
        for name, value in backbone.state_dict().items()
    }
    assert ours == theirs
    features = backbone(torch.empty(1, 3, 65, 65, device='meta'))
    assert [tuple(f.shape[1:]) for f in features] == [(512, 9, 9)] * 2


def test_logit_tta_averages_logits():
    model = MODELS.build(
        dict(
            type='LogitTTAModel',
            module=dict(
                type='EncoderDecoder',
                backbone=BACKBONE,
                decode_head=HEADS['v2'],
                test_cfg=ConfigDict(mode='whole'))))
    # Averaged probabilities say class 0, averaged logits class 1.
    logits = torch.tensor([[[9., 0.], [0., 3.]], [[0., 0.], [20., 0.]]])
    samples = [
        SegDataSample(
            seg_logits=PixelData(data=x.T[..., None]),
            metainfo=dict(img_path='a.jpg')) for x in logits
    ]
    merged, = model.merge_preds([samples])
    expected = logits.mean(dim=0).T[..., None]
    assert torch.equal(merged.seg_logits.data, expected)
    assert torch.equal(merged.pred_sem_seg.data, expected.argmax(0, keepdim=True))
    assert merged.img_path == 'a.jpg'
