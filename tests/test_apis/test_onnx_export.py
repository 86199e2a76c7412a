# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The exported file gives the inferencer's masks, run by onnxruntime."""

import json

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmseg.registry import MODELS
from tool_runner import run_tool

from mmwsss.apis import WSSSInferencer, export_onnx
from mmwsss.utils import project_path

onnxruntime = pytest.importorskip('onnxruntime')
pytest.importorskip('onnx')
CLASSES = ('background', 'ä', 'b', 'c', 'd', 'e', 'f')
DEEPLABS = dict(
    v1=dict(type='LargeFOVHead', in_channels=128, channels=32, in_index=2),
    v2=dict(type='SummedASPPHead', in_channels=128, in_index=2, dilations=(1, 2, 3, 4)),
    v3=dict(type='ASPPHead', in_channels=128, in_index=2, channels=16,
            dilations=(1, 2, 3)),
    v3plus=dict(type='DepthwiseSeparableASPPHead', in_channels=128, in_index=2,
                channels=16, dilations=(1, 2, 3), c1_in_channels=32, c1_channels=8))


def trained(tmp_path, head, **settings):
    """Config and checkpoint of a small DeepLab with random weights."""
    torch.manual_seed(0)
    cfg = Config.fromfile(project_path('configs', 'deeplab', 'deeplabv2_demo.py'))
    cfg.model.decode_head = dict(
        head, num_classes=7, align_corners=False,
        loss_decode=dict(type='mmseg.CrossEntropyLoss'))
    cfg.merge_from_dict(settings)
    model = MODELS.build(cfg.model)
    for parameter in model.decode_head.parameters():
        parameter.data.normal_()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None
    images = torch.randn(4, 3, 75, 101)
    with torch.no_grad():
        model.train()(images)
        # No class wins everywhere.
        means = model.eval()(images).mean((0, 2, 3))
        if getattr(model.decode_head, 'conv_seg', None) is not None:
            model.decode_head.conv_seg.bias -= means
    path = str(tmp_path / 'model.pth')
    torch.save(dict(state_dict=model.state_dict(), meta=dict(dataset_meta=dict(
        classes=CLASSES, palette=[[i, i, i] for i in range(7)]))), path)
    return cfg, path


def noise(height, width):
    return np.random.default_rng(height).integers(
        0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize('kind', DEEPLABS)
def test_masks_are_equal(tmp_path, kind):
    bgr = dict() if kind != 'v2' else {
        'model.data_preprocessor.bgr_to_rgb': False,
        'model.data_preprocessor.std': [1., 1., 1.]}
    cfg, weights = trained(tmp_path, DEEPLABS[kind], **bgr)
    export_onnx(cfg, weights, str(tmp_path / 'out/model.onnx'))
    session = onnxruntime.InferenceSession(str(tmp_path / 'out/model.onnx'))
    assert json.loads(session.get_modelmeta().custom_metadata_map['classes']) == list(
        CLASSES)
    inferencer = WSSSInferencer(cfg, weights, device='cpu', fast=False)
    for size in ((75, 101), (64, 96), (111, 53)):
        image = noise(*size)
        mask, = session.run(None, dict(image=image.transpose(2, 0, 1)[None]))
        expected = inferencer(image)['mask']
        assert mask.shape == (1, *size) and mask.dtype == np.uint8
        # Other sums of floating point numbers: a tie may fall the other way.
        assert (mask[0] != expected).mean() < 1e-3
        assert len(np.unique(expected)) > 1
    assert [path.name for path in (tmp_path / 'out').iterdir()] == ['model.onnx']


def test_other_models_are_refused(tmp_path):
    torch.manual_seed(0)
    cfg = Config.fromfile(project_path('configs', 'cam', 'cam_demo.py'))
    torch.save(dict(state_dict=MODELS.build(cfg.model).state_dict(), meta=dict(
        dataset_meta=dict(classes=CLASSES, palette=None))), tmp_path / 'cam.pth')
    with pytest.raises(ValueError, match='no plain segmentation model'):
        export_onnx(cfg, str(tmp_path / 'cam.pth'), str(tmp_path / 'cam.onnx'))
    cfg, weights = trained(tmp_path, DEEPLABS['v2'], **{
        'model.test_cfg': dict(mode='slide', crop_size=(64, 64), stride=(32, 32))})
    with pytest.raises(ValueError, match='sliding windows: export it with'):
        export_onnx(cfg, weights, str(tmp_path / 'model.onnx'))


def test_the_tool(tmp_path):
    cfg, weights = trained(tmp_path, DEEPLABS['v2'])
    cfg.dump(str(tmp_path / 'config.py'))
    run_tool('model_converters/mmwsss2onnx', tmp_path / 'config.py', weights,
             tmp_path / 'model.onnx')
    assert onnxruntime.InferenceSession(str(tmp_path / 'model.onnx'))
