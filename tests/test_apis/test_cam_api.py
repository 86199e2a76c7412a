# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Class activation maps of any classifier, against loops and finite differences."""

import subprocess
import sys

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from tool_runner import run_tool
from torch import nn
from torch.nn import functional as F

import mmwsss
from mmwsss.apis.classifiers import load_classifier


class Net(nn.Module):
    """A classifier as users write them: the pooling is a function."""

    def __init__(self, classes=5, clip=True, hidden=False):
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, stride=4, padding=1)
        self.body = nn.Conv2d(6, 8, 3, stride=2, padding=1)
        self.clip, self.hidden = clip, hidden
        self.between = nn.Linear(8, 8)
        self.fc = nn.Linear(8, classes)

    def features(self, x):
        x = self.body(self.stem(x).relu_())
        return F.relu(x, inplace=True) if self.clip else x

    def forward(self, x):
        x = self.features(x).mean((2, 3))
        return self.fc(self.between(x).tanh() if self.hidden else x)


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)


@pytest.fixture
def images():
    return torch.randn(1, 3, 48, 64)


@pytest.mark.parametrize('clip', [True, False])
def test_cam_is_the_classifier_at_every_pixel(images, clip):
    net = Net(clip=clip)
    maps = mmwsss.CAM(net, device='cpu').class_maps(images, [3, 0])
    features, weight = net.features(images)[0].detach(), net.fc.weight.detach()
    for row, label in zip(maps, (3, 0), strict=True):
        for y in range(features.shape[1]):
            for x in range(features.shape[2]):
                score = sum(float(weight[label, c] * features[c, y, x])
                            for c in range(8))
                assert float(row[y, x]) == pytest.approx(score, abs=1e-5)
    logits = net(images)[0, [3, 0]] - net.fc.bias[[3, 0]]
    torch.testing.assert_close(maps.mean((1, 2)), logits)


def test_gradcam_against_finite_differences(images):
    net = Net(hidden=True, clip=False).double()
    images = images.double()
    cam = mmwsss.CAM(net)
    maps = cam.class_maps(images, [2])
    assert cam._found.name == 'body' and cam._found.classifier is None
    features = net.features(images).detach()

    def logit(values):
        return float(net.fc(net.between(values.mean((2, 3))).tanh())[0, 2].detach())

    gradient = torch.zeros_like(features)
    for index in np.ndindex(*features.shape):
        moved = features.clone()
        moved[index] += 1e-4
        gradient[index] = (logit(moved) - logit(features)) / 1e-4
    weights = gradient.mean((2, 3))[0]
    expected = sum(weights[c] * features[0, c] for c in range(8))
    torch.testing.assert_close(maps[0], expected, rtol=1e-3, atol=1e-6)

    layercam = mmwsss.CAM(net, 'layercam').class_maps(images, [2])
    expected = (gradient.clamp(min=0) * features)[0].sum(0)
    torch.testing.assert_close(layercam[0], expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize('name, layer, linear', [
    ('test_resnet', 'layer4', True),
    ('efficientnet_lite0', 'bn2', True),
    ('mobilenetv3_small_050', 'blocks', False),
    ('vit_tiny_patch16_224', 'blocks.11.norm1', False),
    ('swin_tiny_patch4_window7_224', 'norm', True),
    ('mmpretrain/mobilenet-v2_8xb32_in1k', 'backbone.conv2', True),
    ('mmpretrain/deit-tiny_4xb256_in1k', 'backbone.layers.11.ln1', False),
])
def test_the_layer_is_found(image, name, layer, linear):
    cam = mmwsss.CAM(name, device='cpu', pretrained=False)
    result = cam(image, top=3)
    assert cam._found.name.startswith(layer)
    assert (cam._found.classifier is not None) == linear
    assert result.maps.shape == (3, 48, 64) and result.maps.dtype == np.float32
    assert 0 <= result.maps.min() <= result.maps.max() <= 1 and result.maps.max() > .5
    assert sorted(result.scores, reverse=True) == result.scores
    assert len(cam.classifier.classes) == 1000 and len(set(result.classes)) == 3
    assert not any(parameter.grad is not None
                   for parameter in cam.classifier.module.parameters())
    if linear:
        images = cam.classifier.normalize(cam._resize(image))
        # Of a mean, both methods are the same but for a factor.
        maps = cam.class_maps(images, result.labels)
        cam.method = 'gradcam'
        other = cam.class_maps(images, result.labels) * maps[0].numel()
        torch.testing.assert_close(
            maps, other, rtol=1e-3, atol=1e-4 * float(maps.abs().max()))


def test_images_of_any_kind(tmp_path, image):
    cam = mmwsss.CAM(Net(), classes=list('abcde'))
    Image.fromarray(image).save(tmp_path / 'one.png')
    Image.fromarray(image[::-1].copy()).save(tmp_path / 'two.png')
    of_array = cam(image)
    for same in (str(tmp_path / 'one.png'), tmp_path / 'one.png',
                 Image.fromarray(image)):
        result = cam(same)
        assert result.classes == of_array.classes
        np.testing.assert_array_equal(result.maps, of_array.maps)
        np.testing.assert_array_equal(result.image, image)
    assert [one.name for one in cam(tmp_path)] == ['one', 'two']
    assert [one.name for one in cam([Image.fromarray(image), image])] == [
        'photo_0', 'photo_1']
    grey = cam(Image.fromarray(image).convert('L'))
    assert grey.image.shape == image.shape


def test_classes_by_name_number_and_synonym(image):
    cam = mmwsss.CAM(Net(3), classes=['tabby, tabby cat', 'crane', 'crane'])
    assert cam(image, classes='tabby cat').labels == [0]
    assert cam(image, classes=[2, 'Tabby']).labels == [2, 0]
    assert len(cam(image, top=9).labels) == 3
    with pytest.raises(ValueError, match="no class 'tabbi'; the nearest are tabby"):
        cam(image, classes='tabbi')
    with pytest.raises(ValueError, match=r"'crane' is the name of several .*\[1, 2\]"):
        cam(image, classes='crane')
    with pytest.raises(ValueError, match='there is no class 3: the model knows 3'):
        cam(image, classes=3)
    with pytest.raises(ValueError, match='have no names'):
        mmwsss.CAM(Net())(image, classes='a')
    with pytest.raises(ValueError, match='knows 5 classes, but 2 are named'):
        mmwsss.CAM(Net(), classes=['a', 'b'])(image)


def test_overlays_are_written(tmp_path, image):
    result = mmwsss.CAM(Net())(image)
    result.save(str(tmp_path / 'cam.png'))
    with Image.open(tmp_path / 'cam.png') as written:
        np.testing.assert_array_equal(np.asarray(written), result.overlay())


def test_weights_of_a_file(tmp_path, image):
    from safetensors.torch import save_file
    model = timm.create_model('test_resnet')
    save_file(model.state_dict(), tmp_path / 'w.safetensors')
    torch.save(model.state_dict(), tmp_path / 'w.pth')
    for name in ('w.safetensors', 'w.pth'):
        loaded = load_classifier('test_resnet', tmp_path / name)
        for key, value in loaded.module.state_dict().items():
            assert torch.equal(value, model.state_dict()[key])
    torch.save(Net().state_dict(), tmp_path / 'other.pth')
    with pytest.raises(ValueError, match=r'other\.pth.*no source for'):
        load_classifier('test_resnet', tmp_path / 'other.pth')
    (tmp_path / 'cut.safetensors').write_bytes(b'nothing')
    with pytest.raises(ValueError, match=r'cut\.safetensors is no whole'):
        load_classifier('test_resnet', tmp_path / 'cut.safetensors')


@pytest.mark.parametrize('name, loader', [
    ('test_resnet', 'timm.create_model'),
    ('resnet18_8xb32_in1k', 'torch.hub.download_url_to_file')])
def test_without_a_network_the_file_to_bring_is_named(monkeypatch, name, loader,
                                                      tmp_path):

    def fail(*args, **kwargs):
        raise OSError('no network')

    monkeypatch.setattr(loader, fail)
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))
    with pytest.raises(ValueError, match='bring that file and name it'):
        mmwsss.CAM(name)


def test_what_cannot_be_is_said(image):
    with pytest.raises(ValueError, match="'resnet5O'; the nearest are resnet50"):
        mmwsss.CAM('timm/resnet5O')
    with pytest.raises(ValueError, match="library 'torch'"):
        mmwsss.CAM('torch/resnet50')
    with pytest.raises(TypeError, match='got int'):
        mmwsss.CAM(3)
    with pytest.raises(ValueError, match='method must be one of'):
        mmwsss.CAM(Net(), 'camcam')
    with pytest.raises(ValueError, match='take method="gradcam"'):
        mmwsss.CAM(Net(hidden=True), 'cam')(image)
    with pytest.raises(ValueError, match="no layer 'neck'; its parts are stem, body"):
        mmwsss.CAM(Net(), layer='neck')(image)
    with pytest.raises(ValueError, match="layer 'fc' gives no feature map"):
        mmwsss.CAM(Net(), layer='fc')(image)
    with pytest.raises(ValueError, match='the model is no classifier'):
        mmwsss.CAM(nn.Conv2d(3, 2, 1))(image)
    with pytest.raises(ValueError, match='RGB uint8'):
        mmwsss.CAM(Net())(image[..., 0])


def test_an_earlier_layer_may_be_named(image):
    cam = mmwsss.CAM(Net(), layer='stem')
    assert cam(image).maps.shape == (1, 48, 64)
    assert cam._found.classifier is None


def test_importing_mmwsss_stays_light():
    code = ('import sys, mmwsss; print(sorted({"torch", "mmseg", "timm"} '
            '& set(sys.modules)), "CAM" in mmwsss.__all__)')
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert done.stdout.strip() == '[] True', done.stderr


def test_the_tool(tmp_path, image, capsys):
    Image.fromarray(image).save(tmp_path / 'one.png')
    torch.save(timm.create_model('test_resnet').state_dict(), tmp_path / 'w.pth')
    run_tool('analysis_tools/cam', tmp_path / 'one.png', '--model', 'test_resnet',
             '--weights', tmp_path / 'w.pth', '--classes', 'tabby', '7', '--out-dir',
             tmp_path / 'out')
    assert sorted(path.name for path in (tmp_path / 'out' / 'one').iterdir()) == [
        'cock.jpg', 'tabby.jpg']
    assert 'one: tabby, tabby cat 0.' in capsys.readouterr().out
