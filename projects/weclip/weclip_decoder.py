# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from projects.clip_es.clip_parts import import_open_clip


class WeCLIPDecoder(nn.Module):
    r"""A light decoder of what the blocks of a frozen CLIP give.

    The patches of each block pass a small perceptron of their own; a 1x1 convolution
    fuses all. Transformer blocks like CLIP's, without positions, and a 1x1
    convolution make class logits of that. `Frozen CLIP: A Strong Backbone for Weakly
    Supervised Semantic Segmentation <https://arxiv.org/abs/2406.11189>`_ (WeCLIP,
    CVPR 2024). Of the maps :math:`F^l` it makes the fused map :math:`F_u` and the
    logits P:

    .. math::
        F_u = \mathrm{Conv}_{1 \times 1} \bigl( \bigl[ W_2^l \operatorname{ReLU}(W_1^l
        F^l) \bigr]_{l=1}^L \bigr), \quad
        P = \mathrm{Conv}_{1 \times 1} (\mathrm{Blocks}(F_u))

    Args:
        in_channels (int): Of each map.
        num_maps (int): How many maps there are.
        num_classes (int): All classes, background included.
        channels (int): Width of the decoder. Defaults to 256.
        num_blocks (int): Transformer blocks. Defaults to 3.
        num_heads (int): Their heads. Defaults to 8.
        dropout_ratio (float): Of whole channels of the fused map, which the affinity
            sees, too. Defaults to 0.1.
    """

    def __init__(self,
                 in_channels: int,
                 num_maps: int,
                 num_classes: int,
                 channels: int = 256,
                 num_blocks: int = 3,
                 num_heads: int = 8,
                 dropout_ratio: float = 0.1) -> None:
        super().__init__()
        import_open_clip()
        # After the import that says what to install where it lacks.
        from open_clip.transformer import QuickGELU, ResidualAttentionBlock
        self.projections = nn.ModuleList(
            nn.Sequential(nn.Linear(in_channels, channels), nn.ReLU(),
                          nn.Linear(channels, channels))
            for _ in range(num_maps))
        self.fuse = nn.Conv2d(num_maps * channels, channels, kernel_size=1)
        self.dropout = nn.Dropout2d(dropout_ratio)
        self.blocks = nn.Sequential(*(
            ResidualAttentionBlock(channels, num_heads, act_layer=QuickGELU)
            for _ in range(num_blocks)))
        self.predict = nn.Conv2d(channels, num_classes, kernel_size=1)

    def forward(self, maps: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Decode maps.

        Args:
            maps (Sequence[Tensor]): Of shape (N, D, h, w), one a block.

        Returns:
            tuple[Tensor, Tensor]: Class logits of shape (N, C, h, w), and the fused
            map of shape (N, channels, h, w), after the dropout.
        """
        size = maps[0].shape[2:]
        projected = [
            layer(one.flatten(2).transpose(1, 2)).transpose(1, 2).unflatten(2, size)
            for layer, one in zip(self.projections, maps, strict=True)
        ]
        fused = self.dropout(self.fuse(torch.cat(projected, dim=1)))
        tokens = self.blocks(fused.flatten(2).transpose(1, 2))
        return self.predict(tokens.transpose(1, 2).unflatten(2, size)), fused
