# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""A segmentation model as one ONNX file, from an image to its mask."""

import inspect
import json
import os
import warnings
from typing import Any

import torch
from mmengine.config import Config
from torch import Tensor, nn
from torch.nn import functional as F

from mmwsss.utils import atomic_write

from .inferencer import WSSSInferencer


class _ImageToMask(nn.Module):
    """What mmseg does with an image at test, as a function of tensors alone."""

    mean: Tensor
    std: Tensor

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.backbone: nn.Module = model.backbone
        self.neck: nn.Module | None = getattr(model, 'neck', None)
        self.head: nn.Module = model.decode_head
        self.align_corners: bool = model.align_corners
        given = model.data_preprocessor
        self.flip = given._channel_conversion
        normalize = given._enable_normalize
        mean = given.mean if normalize else torch.zeros(3, 1, 1)
        std = given.std if normalize else torch.ones(3, 1, 1)
        self.register_buffer('mean', mean.clone())
        self.register_buffer('std', std.clone())

    def forward(self, image: Tensor) -> Tensor:
        """RGB uint8 ``(1, 3, H, W)`` -> class ids, uint8 ``(1, H, W)``."""
        # The preprocessor reads BGR, and turns it where the model is of RGB.
        pixels = image.float() if self.flip else image.float().flip(1)
        features = self.backbone((pixels - self.mean) / self.std)
        if self.neck is not None:
            features = self.neck(features)
        logits = F.interpolate(
            self.head(features), size=image.shape[2:], mode='bilinear',
            align_corners=self.align_corners)
        return logits.argmax(1).to(torch.uint8)


def export_onnx(model: str | Config,
                weights: str,
                out: str,
                opset: int = 17,
                cfg_options: dict | None = None) -> None:
    """Write a trained segmentation model, such as the final DeepLab, as ONNX.

    The file does all of it: RGB pixels in (``image``, uint8 ``(1, 3, H, W)`` of any
    height and width), class ids out (``mask``, uint8 ``(1, H, W)``). Class names
    and colours are in its metadata, as JSON.

    Args:
        model (str | Config): Its config, as :class:`WSSSInferencer` takes it.
        weights (str): Its checkpoint.
        out (str): The file to write.
        opset (int): Version of ONNX's operators. Defaults to 17.
        cfg_options (dict, optional): Overrides of the config.

    Raises:
        FileNotFoundError: If there is no such config or checkpoint.
        ValueError: If the checkpoint belongs to another model, or the model is no
            plain segmentation model that sees whole images at once.
        ImportError: If onnx is not installed.

    Example:
        >>> export_onnx('deeplabv2_folder', 'iter_5000.pth', 'model.onnx')
        >>> session = onnxruntime.InferenceSession('model.onnx')
        >>> image = np.asarray(Image.open('photo.jpg')).transpose(2, 0, 1)[None]
        >>> mask, = session.run(None, dict(image=image))
    """
    import onnx
    inferencer = WSSSInferencer(
        model, weights, device='cpu', fast=False, cfg_options=cfg_options)
    segmentor: Any = inferencer.model
    name = inferencer.cfg.get('filename') or 'the config'
    if getattr(segmentor.decode_head, 'gives_class_maps', False) or not hasattr(
            segmentor, 'encode_decode'):
        raise ValueError(f'{name} is no plain segmentation model, but a '
                         f'{type(segmentor).__name__} with class maps: export the '
                         'DeepLab that was trained on its pseudo labels')
    if segmentor.test_cfg.get('mode', 'whole') != 'whole':
        raise ValueError(f'{name} tests by sliding windows: export it with '
                         'model.test_cfg.mode=whole')
    if segmentor.data_preprocessor.test_cfg:
        raise ValueError(f'{name} pads photos at test: export it with '
                         'model.data_preprocessor.test_cfg=None')
    wrapped = _ImageToMask(segmentor).eval()
    # A side of no special length, so that nothing is rounded by chance.
    image = torch.zeros(1, 3, 75, 101, dtype=torch.uint8)
    options: dict[str, Any] = {}
    if 'dynamo' in inspect.signature(torch.onnx.export).parameters:
        # The exporter that needs no further package, and takes any size.
        options['dynamo'] = False
    temporary = f'{os.fspath(out)}.exporting'
    try:
        os.makedirs(os.path.dirname(os.path.abspath(out)), exist_ok=True)
        with warnings.catch_warnings(), torch.no_grad():
            # Of sizes that are constants while a network is traced, which they are.
            warnings.simplefilter('ignore')
            torch.onnx.export(
                wrapped, (image, ), temporary, input_names=['image'],
                output_names=['mask'], opset_version=opset,
                dynamic_axes=dict(image={2: 'height', 3: 'width'},
                                  mask={1: 'height', 2: 'width'}), **options)
        graph = onnx.load(temporary)
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)
    for key, value in (('classes', inferencer.classes),
                       ('palette', inferencer.palette)):
        graph.metadata_props.add(key=key, value=json.dumps(value))
    onnx.checker.check_model(graph)
    with atomic_write(out) as file:
        file.write(graph.SerializeToString())
