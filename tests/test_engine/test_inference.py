# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import pytest
import torch
from mmseg.registry import MODELS
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

import mmwsss.engine.inference as inference
from mmwsss.engine import check_amp, fast_inference
from mmwsss.engine.inference import find_conv_bn_pairs

CAM_STRIDES = dict(strides=(1, 2, 2, 1), dilations=(1, 1, 1, 1))
# Backbones, and how many of their normalisations read a convolution alone. Of the 37
# of WideResNet38 those in front of its blocks, but the first, and the last read sums.
BACKBONES = {
    'resnet': (dict(type='ResNet', depth=18, stem_channels=8,
                    base_channels=8, **CAM_STRIDES), 20),
    'deep stem': (dict(type='ResNetV1c', depth=18, stem_channels=8,
                       base_channels=8), 22),
    'stem': (dict(type='StemResNet', depth=18, stem_channels=8, base_channels=8,
                      **CAM_STRIDES), 20),
    'wide resnet': (dict(type='WideResNet38', base_channels=4), 20),
    'mobilenet': (dict(
        type='mmpretrain.TIMMBackbone', model_name='mobilenetv1_100',
        features_only=True, output_stride=16, pretrained=False,
        pad_type='same'), 27),
}


def build(name):
    """A backbone in double precision whose statistics are not 0 and 1."""
    torch.manual_seed(0)
    backbone = MODELS.build(BACKBONES[name][0])
    for module in backbone.modules():
        if isinstance(module, _BatchNorm):
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 2)
            nn.init.normal_(module.bias)
    backbone.double().eval()
    return backbone


@pytest.mark.parametrize('channels_last', [False, True])
@pytest.mark.parametrize('name', list(BACKBONES))
def test_same_features(name, channels_last):
    backbone = build(name)
    state = {key: value.clone() for key, value in backbone.state_dict().items()}
    image = torch.randn(2, 3, 75, 66, dtype=torch.float64)
    with torch.no_grad():
        expected = backbone(image)
        with fast_inference(backbone, channels_last=channels_last) as folded:
            features = backbone(image)
            during = backbone.state_dict()
        after = backbone(image)
    assert folded == BACKBONES[name][1]
    for one, other in zip(features, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)
    assert list(during) == list(state)
    for key, value in state.items():
        assert torch.equal(during[key], value)
        assert backbone.state_dict()[key].stride() == value.stride()
    assert all(map(torch.equal, after, expected))


def test_nothing_to_do():
    backbone = build('resnet')
    with fast_inference(backbone, fold=False, channels_last=False) as folded:
        assert folded == 0
        assert not any('forward' in vars(one) for one in backbone.modules())


def test_ends_after_an_error():
    backbone = build('resnet')
    with pytest.raises(KeyError), fast_inference(backbone):
        raise KeyError
    assert not any('forward' in vars(one) for one in backbone.modules())


class Branches(nn.Module):
    """Convolutions and normalisations that are not all pairs."""

    def __init__(self):
        super().__init__()
        # Registered next to each other, which says nothing.
        for name in 'pair', 'activated', 'twice', 'returned', 'kept', 'shared':
            setattr(self, name, nn.Conv2d(3, 3, 3, padding=1))
            setattr(self, f'{name}_norm', nn.BatchNorm2d(3))
        self.batch_statistics = nn.Conv2d(3, 3, 1)
        self.batch_statistics_norm = nn.BatchNorm2d(3, track_running_stats=False)

    def forward(self, x):
        x = self.pair_norm(self.pair(x))
        x = self.activated_norm(self.activated(x).relu())
        raw = self.twice(x)
        x = self.twice_norm(raw) + raw.mean()
        output = self.returned(x)
        x = self.returned_norm(output)
        self.tap = self.kept(x)
        x = self.kept_norm(self.tap)
        x = self.shared_norm(self.shared(x))
        x = self.shared_norm(self.shared(x))
        return output, self.batch_statistics_norm(self.batch_statistics(x))


def test_only_pairs_are_folded():
    torch.manual_seed(0)
    model = Branches().eval()
    assert find_conv_bn_pairs(model) == {model.pair: model.pair_norm}
    image = torch.rand(2, 3, 9, 9)
    expected = [*model(image), model.tap]
    with fast_inference(model):
        actual = [*model(image), model.tap]
    torch.testing.assert_close(actual, expected)


@pytest.mark.parametrize('name', ['pair', 'pair_norm'])
def test_hooks_see_what_they_saw(name):
    model = Branches().eval()
    seen = []
    getattr(model, name).register_forward_hook(
        lambda module, args, output: seen.append((args[0], output)))
    image = torch.rand(1, 3, 8, 8)
    model(image)
    with fast_inference(model):
        seen.clear()
        model(image)
        now = seen[0]
    seen.clear()
    model(image)
    torch.testing.assert_close(now, seen[0])


def test_training_statistics_stay():
    model = Branches().eval()
    model.pair_norm.train()
    assert find_conv_bn_pairs(model) == {}


def test_unknown_normalization_stays():

    class Scaled(nn.BatchNorm2d):

        def forward(self, x):
            return 2 * super().forward(x)

    model = nn.Sequential(nn.Conv2d(3, 4, 1), Scaled(4)).eval()
    assert find_conv_bn_pairs(model) == {}


def test_half_precision():
    backbone = build('resnet').float()
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        expected = backbone(image)
        with fast_inference(backbone, amp='bf16'):
            features = backbone(image)
    for one, other in zip(features, expected, strict=True):
        assert one.dtype == torch.float32
        difference = (one - other).abs().max() / other.abs().max()
        # Eight bits and twenty layers: rounded, but not by accident.
        assert 1e-4 < difference < 0.1


@pytest.mark.parametrize('flags, fits', [
    ('flags\t\t: fpu avx2', False),
    ('flags\t\t: fpu avx2 avx512f avx512_bf16', True),
    ('flags\t\t: fpu amx_bf16', True),
    ('processor\t: 0\nFeatures\t: fp asimd bf16', True),
])
def test_cpu_flags(monkeypatch, tmp_path, flags, fits):
    file = tmp_path / 'cpuinfo'
    file.write_text(flags + '\n')
    monkeypatch.setattr(inference, 'CPU_FLAGS', str(file))
    assert inference.cpu_has_bf16() is fits


def test_bad_precision(monkeypatch):
    monkeypatch.setattr(inference, 'cpu_has_bf16', lambda: False)
    with pytest.raises(ValueError, match='no bfloat16 instructions'):
        check_amp('bf16', 'cpu')
    with pytest.raises(ValueError, match='fp16 needs a GPU'):
        check_amp('fp16', 'cpu')
    with pytest.raises(ValueError, match='bf16.*fp16'):
        check_amp('int8', 'cpu')
    monkeypatch.setattr(inference, 'cpu_has_bf16', lambda: True)
    check_amp('bf16', 'cpu')
