# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""A tiny CLIP and images, made of whole arithmetic: the same everywhere."""

import math
from functools import cache

import numpy as np
import published_numbers
import torch
import torch.nn.functional as F
from PIL import Image

LAYERS, WIDTH, EMBED, TEXT = 9, 128, 48, 64


def arch_of(layers):
    return dict(
        embed_dim=EMBED,
        quick_gelu=True,
        vision_cfg=dict(
            image_size=64, patch_size=16, width=WIDTH, layers=layers, head_width=64),
        text_cfg=dict(
            context_length=77, vocab_size=49408, width=TEXT, heads=1, layers=2))


ARCH = arch_of(LAYERS)
TINY = dict(
    embed_dim=16, quick_gelu=True,
    vision_cfg=dict(image_size=32, patch_size=16, width=32, head_width=16, layers=3),
    text_cfg=dict(context_length=77, vocab_size=49408, width=16, heads=2, layers=1))
IMAGES = dict(
    wide=((75, 117), ['dog', 'person', 'chair']), high=((96, 63), ['cat', 'bird']),
    # 4 x 19 patches, which with the class token are as many tokens as a text has.
    long=((60, 301), ['boat', 'tvmonitor']))


def wave(*shape, step):
    """Numbers in [-1, 1], as a network takes them."""
    return published_numbers.wave(*shape, step=step).float()


def fill(state):
    """Weights of a CLIP by their names and shapes."""
    filled = {}
    for place, (name, value) in enumerate(sorted(state.items())):
        numbers = wave(*value.shape, step=.1 + .0137 * place)
        if name == 'logit_scale':
            numbers = torch.tensor(math.log(20))
        elif value.ndim == 1 and '.ln_' in f'.{name}' and name.endswith('weight'):
            numbers = 1 + .2 * numbers
        elif value.ndim == 1:
            numbers = .05 * numbers
        elif name.endswith('positional_embedding'):
            numbers = .3 * numbers
        elif name == 'token_embedding.weight':
            numbers = .2 * numbers
        else:
            fan = value[0].numel() if name != 'visual.proj' else len(value)
            gain = 3. if name.endswith('in_proj_weight') else 1.5
            numbers = gain * numbers / math.sqrt(fan)
        filled[name] = numbers
    return filled


def make_image(name):
    """An RGB image whose neighbouring pixels are alike, uint8 of shape (H, W, 3)."""
    (height, width), _ = IMAGES[name]
    step = .0173 * len(name) + .001 * width
    small = wave(1, 3, 5, 7, step=step) * 127 + 127
    smooth = F.interpolate(small, size=(height, width), mode='nearest')
    noise = wave(1, 3, height, width, step=step + .11) * 30
    pixels = (smooth + noise).clamp(0, 255).round()[0].permute(1, 2, 0)
    return pixels.numpy().astype(np.uint8)


@cache
def make_clip(layers=LAYERS):
    """The CLIP of these weights; who changes it must copy it."""
    import open_clip
    with torch.device('meta'):
        model = open_clip.CLIP(
            quick_gelu=True, **{key: arch_of(layers)[key] for key in (
                'embed_dim', 'vision_cfg', 'text_cfg')})
    state = fill(model.state_dict())
    model.load_state_dict(state, assign=True)
    # What is in no state dict.
    model.attn_mask = torch.full((77, 77), -torch.inf).triu(1)
    return model.eval()


def fill_decoder(state):
    """Weights of a decoder of WeCLIP by their names and shapes."""
    filled = {}
    for place, (name, value) in enumerate(sorted(state.items())):
        numbers = wave(*value.shape, step=.2 + .0113 * place)
        if value.ndim == 1:
            norm = '.ln_' in name and name.endswith('weight')
            filled[name] = 1 + .2 * numbers if norm else .05 * numbers
        else:
            gain = .25 if name.startswith('fuse') else 2.
            filled[name] = gain * numbers / math.sqrt(value[0].numel())
    return filled


def crops(size=(96, 128)):
    """The images as WeCLIP sees them, of one size, normalised, (3, 3, H, W)."""
    mean, std = (np.float32(one) for one in (
        (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)))
    images = [
        np.array(Image.fromarray(make_image(name)).resize(
            size[::-1], Image.Resampling.BILINEAR)) for name in IMAGES
    ]
    return torch.stack([
        torch.from_numpy((image - mean) / std).permute(2, 0, 1) for image in images])
