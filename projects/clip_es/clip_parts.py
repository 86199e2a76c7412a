# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""What the projects on CLIP take from open_clip."""

from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

DEFAULT_ARCH = 'ViT-B-16-quickgelu'
"""OpenAI's ViT-B/16, which CLIP-ES and WeCLIP take."""


def import_open_clip() -> ModuleType:
    """open_clip, which is optional.

    Raises:
        ImportError: Saying in a sentence what to install.
    """
    try:
        import open_clip
    except ImportError as error:
        raise ImportError(
            f'CLIP is the model of open_clip, which cannot be imported ({error}): '
            'pip install open_clip_torch') from error
    return open_clip


def read_arch(arch: str | dict) -> dict[str, Any]:
    """The settings of a CLIP whose image tower is a plain vision transformer.

    Args:
        arch (str | dict): A name that open_clip knows, such as
            ``'ViT-B-16-quickgelu'``, or settings of the same form.

    Raises:
        ValueError: If the name is unknown, or the tower of another kind.
    """
    open_clip = import_open_clip()
    settings = open_clip.get_model_config(arch) if isinstance(arch, str) else arch
    if settings is None:
        raise ValueError(f'open_clip knows no model {arch!r}')
    vision = dict(settings.get('vision_cfg') or {})
    unknown = set(vision) - {
        'image_size', 'patch_size', 'width', 'layers', 'head_width', 'mlp_ratio'}
    if unknown or not isinstance(vision.get('layers'), int):
        raise ValueError(
            f'arch {arch!r} is no CLIP with a plain vision transformer; '
            'ViT-B-16-quickgelu is one')
    vision = {'head_width': 64, 'mlp_ratio': 4., **vision}
    return dict(settings, vision_cfg=vision)


def build_tower(arch: str | dict) -> nn.Module:
    """The image tower of a CLIP, with random weights."""
    settings = read_arch(arch)
    vision = settings['vision_cfg']
    # After read_arch, which says what to install where open_clip lacks.
    from open_clip.transformer import QuickGELU, VisionTransformer
    return VisionTransformer(
        image_size=vision['image_size'],
        patch_size=vision['patch_size'],
        width=vision['width'],
        layers=vision['layers'],
        heads=vision['width'] // vision['head_width'],
        mlp_ratio=vision['mlp_ratio'],
        output_dim=settings['embed_dim'],
        act_layer=QuickGELU if settings.get('quick_gelu') else nn.GELU)


def run_block(block: nn.Module,
              tokens: Tensor,
              normed: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Run one block of a tower and look at its attention, which it hides.

    Args:
        block (nn.Module): A residual attention block of open_clip.
        tokens (Tensor): Of shape (N, T, D).
        normed (Tensor, optional): Their first normalisation, where the caller has
            it. Defaults to None: it is computed.

    Returns:
        tuple[Tensor, Tensor]: Tokens of shape (N, T, D), and the attention of each
        to each, the mean of all heads, of shape (N, T, T); rows sum to 1.
    """
    if normed is None:
        normed = block.ln_1(tokens)
    update, attention = block.attn(normed, normed, normed, need_weights=True)
    tokens = tokens + block.ls_1(update)
    return tokens + block.ls_2(block.mlp(block.ln_2(tokens))), attention


def freeze(module: nn.Module) -> None:
    """Let no parameter of a module learn."""
    for parameter in module.parameters():
        parameter.requires_grad_(False)


def resize_positions(positions: Tensor, grid: tuple[int, int]) -> Tensor:
    """Position embeddings of another grid of patches.

    Bilinear, corners not aligned, without antialiasing: what CLIP-ES does. (Libraries
    take a bicubic filter with antialiasing, which makes another model of it.)

    Args:
        positions (Tensor): Of shape (1 + s * s, D), that of the class token first.
        grid (tuple[int, int]): (h, w) in patches.

    Returns:
        Tensor: Of shape (1 + h * w, D).
    """
    side = round((len(positions) - 1)**0.5)
    if grid == (side, side):
        return positions
    square = positions[1:].T.reshape(1, -1, side, side)
    resized = nn.functional.interpolate(
        square, size=grid, mode='bilinear', align_corners=False)
    return torch.cat([positions[:1], resized[0].flatten(1).T])
