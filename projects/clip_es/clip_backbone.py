# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from .clip_parts import (
    DEFAULT_ARCH,
    build_tower,
    freeze,
    resize_positions,
    run_block,
)


@MODELS.register_module()
class CLIPBackbone(BaseModule):
    """The image tower of a frozen CLIP, all but its last block.

    Images may be of any size: position embeddings are resized (see
    :func:`resize_positions`), and what is left behind the last whole patch is
    dropped. The last block belongs to :class:`TextGradCAM`, which runs it with
    gradients.

    Args:
        arch (str | dict): The CLIP, see :func:`read_arch`. Defaults to
            ``'ViT-B-16-quickgelu'``, OpenAI's.
        out_indices (Sequence[int], optional): The blocks whose patches are given,
            from 0, the last of these the last but one of CLIP. Defaults to None:
            that one alone.
        attention_layers (int): Of how many of the last blocks here attention is
            given. Defaults to 7, which with the last block makes eight.
        init_cfg (dict, optional): Initialisation.

    Raises:
        ValueError: If ``out_indices`` or ``attention_layers`` name blocks that are
            not here.
    """

    def __init__(self,
                 arch: str | dict = DEFAULT_ARCH,
                 out_indices: Sequence[int] | None = None,
                 attention_layers: int = 7,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg=init_cfg)
        tower = build_tower(arch)
        last = len(tower.transformer.resblocks) - 2
        self.out_indices = tuple((last, ) if out_indices is None else out_indices)
        if not self.out_indices or self.out_indices[-1] != last or \
                list(self.out_indices) != sorted(set(self.out_indices)) or \
                self.out_indices[0] < 0:
            raise ValueError(
                'out_indices must rise to the last block but one of CLIP, which is '
                f'{last}, got {self.out_indices}')
        if not 0 <= attention_layers <= last + 1:
            raise ValueError(f'attention_layers must lie in [0, {last + 1}], got '
                             f'{attention_layers}')
        self.attention_layers = attention_layers
        self.patch_size = tower.patch_size[0]
        self.conv1 = tower.conv1
        self.class_embedding = tower.class_embedding
        self.positional_embedding = tower.positional_embedding
        self.ln_pre = tower.ln_pre
        self.resblocks = nn.ModuleList(tower.transformer.resblocks[:-1])
        freeze(self)

    def train(self, mode: bool = True) -> 'CLIPBackbone':
        """Stay in evaluation mode: nothing here learns."""
        return super().train(False)

    @torch.no_grad()
    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Run all blocks but the last.

        Args:
            images (Tensor): Normalised, of shape (N, 3, H, W), at least one patch
                high and wide.

        Returns:
            tuple[Tensor]: The patches of each of ``out_indices``, of shape
            (N, D, h, w), the class token of the last, of shape (N, D), and the
            attention of the last blocks, of shape (N, L, 1 + h * w, 1 + h * w).

        Raises:
            ValueError: If images are smaller than a patch.
        """
        height, width = images.shape[2:]
        grid = height // self.patch_size, width // self.patch_size
        if min(grid) < 1:
            raise ValueError(
                f'images of {height} x {width} pixels are smaller than a patch of '
                f'CLIP, {self.patch_size} x {self.patch_size}')
        patches = self.conv1(images).flatten(2).transpose(1, 2)
        token = self.class_embedding.expand(len(images), 1, -1)
        positions = resize_positions(self.positional_embedding, grid)
        tokens = self.ln_pre(torch.cat([token.to(patches), patches], 1) + positions)
        first = len(self.resblocks) - self.attention_layers
        outputs, attentions = [], []
        for i, block in enumerate(self.resblocks):
            if i < first:
                tokens = block(tokens)
            else:
                tokens, attention = run_block(block, tokens)
                attentions.append(attention)
            if i in self.out_indices:
                outputs.append(tokens[:, 1:].transpose(1, 2).unflatten(2, grid))
        if attentions:
            stacked = torch.stack(attentions, dim=1)
        else:
            size = 1 + grid[0] * grid[1]
            stacked = tokens.new_empty((len(images), 0, size, size))
        return *outputs, tokens[:, 0], stacked
