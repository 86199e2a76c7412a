# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Models whose answer is known: they find red, green and blue."""

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from torch import nn
from torch.nn import functional as F

CLASSES = ('background', 'red', 'green', 'blue')
PALETTE = [[0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255]]
PREPROCESSOR = dict(
    type='SegDataPreProcessor',
    mean=[0, 0, 0],
    std=[255, 255, 255],
    bgr_to_rgb=True,
    pad_val=0,
    seg_pad_val=255)


@MODELS.register_module(force=True)
class ColorBackbone(nn.Module):
    """The mean colour of each 4 x 4 cell, RGB in [0, 1]."""

    def forward(self, x):
        return (F.avg_pool2d(x, 4, ceil_mode=True), )


def color_weights() -> torch.Tensor:
    """(3, 3, 1, 1): each class likes its colour and dislikes the others."""
    return (30 * torch.eye(3) - 10)[:, :, None, None]


def _config(tmp_path, model: dict) -> Config:
    scales = [dict(type='PILRescale', scale=scale) for scale in (0.5, 1.0)]
    flips = [dict(type='RandomFlip', prob=prob) for prob in (0., 1.)]
    loaders = [dict(type='LoadPILImage')]
    cfg = Config(
        dict(
            default_scope='mmseg',
            model=model,
            test_pipeline=[
                *loaders,
                dict(type='LoadMask'),
                dict(type='PackWeakInputs')
            ],
            tta_pipeline=[
                *loaders,
                dict(
                    type='TestTimeAug',
                    transforms=[
                        scales, flips, [dict(type='LoadMask')],
                        [dict(type='PackWeakInputs')]
                    ])
            ]))
    path = str(tmp_path / 'config.py')
    cfg.dump(path)
    return Config.fromfile(path)


def save_checkpoint(cfg: Config, path, edit=None, **meta) -> str:
    init_default_scope('mmseg')
    model = MODELS.build(cfg.model)
    if edit is not None:
        edit(model)
    meta.setdefault('dataset_meta', dict(classes=CLASSES, palette=PALETTE))
    torch.save(dict(meta=meta, state_dict=model.state_dict()), path)
    return str(path)


def cam_model(tmp_path, head='CAMHead', edit=None, **meta) -> tuple[Config, str]:
    """Config and checkpoint of a model trained from image labels."""
    cfg = _config(
        tmp_path,
        dict(
            type='WeakSegmentor',
            data_preprocessor=PREPROCESSOR,
            backbone=dict(type='ColorBackbone'),
            decode_head=dict(type=head, in_channels=3, num_classes=4),
            test_cfg=dict(mode='whole')))
    cfg.tta_model = dict(type='CAMTTAModel')

    def fill(model):
        model.decode_head.classifier.weight.data = color_weights()
        if edit is not None:
            edit(model)

    return cfg, save_checkpoint(cfg, tmp_path / 'cam.pth', fill, **meta)


def segmentation_model(tmp_path) -> tuple[Config, str]:
    """Config and checkpoint of a stock segmentation model."""
    cfg = _config(
        tmp_path,
        dict(
            type='EncoderDecoder',
            data_preprocessor=PREPROCESSOR,
            backbone=dict(type='ColorBackbone'),
            decode_head=dict(
                type='FCNHead',
                in_channels=3,
                channels=3,
                num_convs=0,
                concat_input=False,
                dropout_ratio=0,
                num_classes=4),
            test_cfg=dict(mode='whole')))
    cfg.tta_model = dict(type='SegTTAModel')

    def fill(model):
        conv = model.decode_head.conv_seg
        conv.weight.data = torch.cat([torch.zeros(1, 3, 1, 1), color_weights()])
        conv.bias.data = torch.tensor([3., 0., 0., 0.])

    return cfg, save_checkpoint(cfg, tmp_path / 'segmentation.pth', fill)


def make_image(*colors: str, size=(48, 64)) -> np.ndarray:
    """A grey image with a 16 x 16 square of each colour, at (16, 8 + 32 i)."""
    image = np.full((*size, 3), 100, np.uint8)
    for i, color in enumerate(colors):
        square = image[16:32, 8 + 32 * i:24 + 32 * i]
        square[:] = 0
        square[..., CLASSES.index(color) - 1] = 255
    return image
