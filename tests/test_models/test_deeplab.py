# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import numpy as np
import torch
import torch.nn.functional as F
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from model_cases import PIXEL, deeplab, pixels
from model_tester import build_model, pixel_batch
from PIL import Image
from torch import nn

HEAD = deeplab('SummedASPPHead')['decode_head']


def test_summed_aspp_is_the_sum_of_its_branches():
    head = build_model(HEAD).eval()
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
    for name in ('deeplab_v1', 'deeplab_v2_concat'):
        dropouts = [
            m for m in build_model(PIXEL[name]).decode_head.modules()
            if isinstance(m, nn.modules.dropout._DropoutNd)
        ]
        assert dropouts and all(type(m) is nn.Dropout for m in dropouts)


def test_multi_scale_outputs_have_published_sizes():
    model = build_model(pixels(
        dict(HEAD, in_channels=16, dilations=(1, 2)), 'MultiScaleSegmentor',
        dict(type='CaffeResNet', depth=18, stem_channels=4, base_channels=2))).eval()
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
    model = build_model(PIXEL['multi_scale']).train()
    samples = pixel_batch(size=(65, 49))['data_samples']
    inputs = torch.randn(2, 3, 65, 49)
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


def test_caffe_resnet_differs_from_mmseg_only_in_stride_and_pool():
    backbone = build_model(dict(type='CaffeResNet', depth=50, base_channels=2))
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
        dict(type='LogitTTAModel', module=PIXEL['deeplab_v2']))
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
