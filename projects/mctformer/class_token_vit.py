# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import timm
import torch
from mmengine.model import BaseModule
from mmengine.runner import CheckpointLoader
from mmseg.registry import MODELS
from timm.layers import trunc_normal_
from torch import Tensor, nn

from mmwsss.structures import resize_maps
from mmwsss.utils import naming
from mmwsss.utils.checkpoint import check_weights

from .token_maps import head_means, rescale_positions

REMAINDERS = ('resize', 'drop')


@MODELS.register_module()
class ClassTokenViT(BaseModule):
    r"""A vision transformer with one class token for each class.

    The transformer is timm's; class tokens and position embeddings are here, and
    in evaluation, what the tokens pay attention to. `Multi-class Token
    Transformer for Weakly Supervised Semantic Segmentation
    <https://arxiv.org/abs/2203.02891>`_ (MCTformer, CVPR 2022). As there, the
    tokens leave the last block without a normalisation.

    Tokens T enter with their positions E, classes (cls) before patches (pat); the
    attention of a block is the mean over its H heads, with queries Q and keys K of
    dimension d:

    .. math::
        T = [T_{cls} + E_{cls};\; T_{pat} + E_{pat}], \quad
        a_l = \frac 1 H \sum_{h=1}^H
        \operatorname{softmax} \left( \frac {Q_h K_h^\top} {\sqrt d} \right)

    Args:
        num_classes (int): All classes, background included; the background has
            no token.
        model_name (str): A vision transformer of timm. Defaults to
            'deit_small_patch16_224'.
        img_size (int): Side of the images that position embeddings are for, in
            pixels. Defaults to 224.
        patch_size (int): Side of a patch in pixels. Defaults to 16.
        stem (dict, optional): A backbone whose last map the tokens are made of,
            one of each place, in place of the image's patches. Its stride is
            ``patch_size``. Defaults to None.
        stem_channels (int, optional): Channels of that map.
        drop_path_rate (float): Stochastic depth of the last block; it rises
            linearly from 0. Defaults to 0.1.
        remainder (str): What becomes of images whose sides are no multiples of
            ``patch_size``. ``'resize'``: they are resized to the nearest ones
            (bilinear), so that maps cover the whole image; ``'drop'``: the right
            and bottom rest is lost, as in the published code, which yet takes maps
            for those of the whole image. Defaults to 'resize'.
        position_offset (float): See :func:`~projects.mctformer.token_maps.
            rescale_positions`. Defaults to 0.1, that of V1 and V2; MCTformer+
            has 0.
        position_init (str): How position embeddings of a checkpoint are brought
            to ``img_size``; MCTformer+ takes ``'nearest'``. Defaults to
            'bicubic'.
        init_cfg (dict, optional): ``dict(type='Pretrained', checkpoint=...)``
            names a classifier of the same architecture with one class token, a
            file of DeiT's authors or of timm. Its classifier and last normalisation
            are left out, its class token and the position of that are every
            class's first.
        **kwargs: Further arguments of timm's ``VisionTransformer``, such as
            ``depth``.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> import torch
        >>> from projects.mctformer import ClassTokenViT
        >>> backbone = ClassTokenViT(21, 'deit_tiny_patch16_224', depth=2).eval()
        >>> [tuple(x.shape) for x in backbone(torch.rand(1, 3, 96, 130))]
        [(1, 192, 6, 8), (2, 1, 20, 192), (2, 1, 20, 6, 8), (1, 48, 48)]
    """

    def __init__(self,
                 num_classes: int,
                 model_name: str = 'deit_small_patch16_224',
                 img_size: int = 224,
                 patch_size: int = 16,
                 stem: dict | None = None,
                 stem_channels: int | None = None,
                 drop_path_rate: float = 0.1,
                 remainder: str = 'resize',
                 position_offset: float = 0.1,
                 position_init: str = 'bicubic',
                 init_cfg: dict | None = None,
                 **kwargs) -> None:
        super().__init__(init_cfg)
        if num_classes < 2:
            raise ValueError('num_classes counts the background and must be at '
                             f'least 2, got {num_classes}')
        if img_size < patch_size or img_size % patch_size:
            raise ValueError(f'img_size={img_size} is no multiple of '
                             f'patch_size={patch_size}')
        if remainder not in REMAINDERS:
            raise ValueError(
                f'remainder must be one of {REMAINDERS}, got {remainder!r}')
        if (stem is None) != (stem_channels is None):
            raise ValueError('stem and stem_channels go together')
        self.num_tokens = num_classes - 1
        self.patch_size = patch_size
        self.remainder = remainder
        self.position_offset = position_offset
        self.position_init = position_init
        self.grid = (img_size // patch_size, ) * 2
        if stem is None:
            self.stem = None
            kwargs.update(img_size=img_size, patch_size=patch_size)
        else:
            self.stem = MODELS.build(stem)
            kwargs.update(
                img_size=self.grid[0], patch_size=1, in_chans=stem_channels)
        self.vit = timm.create_model(
            model_name,
            num_classes=0,
            class_token=False,
            global_pool='',
            pos_embed='none',
            final_norm=False,
            drop_path_rate=drop_path_rate,
            **kwargs)
        width = self.vit.embed_dim
        self.class_token = nn.Parameter(torch.zeros(1, self.num_tokens, width))
        self.class_position = nn.Parameter(torch.zeros(1, self.num_tokens, width))
        self.patch_position = nn.Parameter(
            torch.zeros(1, self.grid[0] * self.grid[1], width))
        for parameter in (self.class_token, self.class_position,
                          self.patch_position):
            trunc_normal_(parameter, std=.02)

    def init_weights(self) -> None:
        """Initialise, from a classifier if ``init_cfg`` names one.

        Raises:
            ValueError: Naming the file and keys, if it is of another network.
        """
        cfg = self.init_cfg or {}
        if cfg.get('type') != 'Pretrained':
            super().init_weights()
            return
        path = cfg['checkpoint']
        content = CheckpointLoader.load_checkpoint(path, map_location='cpu')
        with naming(path):
            self.load_classifier(content)
        self._is_init = True

    def load_classifier(self, content: dict) -> None:
        """Take over the weights of a classifier with one class token.

        Args:
            content (dict): A state dict in timm's names, or one under ``'model'``
                or ``'state_dict'``.

        Raises:
            ValueError: Naming the keys, if some are unknown, missing or of
                another shape.
        """
        weights = dict(content.get('model', content.get('state_dict', content)))
        for key in ('norm.weight', 'norm.bias', 'head.weight', 'head.bias'):
            weights.pop(key, None)
        token, positions = (
            weights.pop(key, torch.empty(0)) for key in ('cls_token', 'pos_embed'))
        length = positions.shape[1] if positions.ndim == 3 else 0
        side = round(max(length - 1, 0)**0.5)
        if token.ndim != 3 or token.shape[1] != 1 or side**2 + 1 != length:
            raise ValueError(
                'expected cls_token (1, 1, D) and pos_embed (1, 1 + side**2, D), got '
                f'{tuple(token.shape)} and {tuple(positions.shape)}')
        patches = positions[:, 1:]
        if (side, side) != self.grid:
            patches = rescale_positions(
                patches, (side, side), self.grid, mode=self.position_init)
        own = dict(
            class_token=token.repeat(1, self.num_tokens, 1),
            class_position=positions[:, :1].repeat(1, self.num_tokens, 1),
            patch_position=patches,
            **{f'vit.{key}': value for key, value in weights.items()})
        check_weights(own, self.state_dict())
        self.load_state_dict(own)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Turn images into tokens.

        Args:
            images (Tensor): Of shape (N, 3, H, W).

        Returns:
            tuple[Tensor]: Patch tokens (N, D, h, w); class tokens after each block,
            (L, N, C - 1, D); and in evaluation, means over heads: the attention of
            class tokens to patches in each block, (L, N, C - 1, h, w), and that of
            patches to patches, (N, h * w, h * w), the sum over the blocks.

        Raises:
            ValueError: If an image is smaller than a patch and may not be resized.
        """
        height, width = images.shape[2:]
        images = self._whole_patches(images)
        if self.stem is not None:
            images = self.stem(images)[-1]
        patches = self.vit.patch_embed.proj(images)
        grid = tuple(patches.shape[2:])
        # The published code compares the sides before they lose their rest.
        unscaled = grid == self.grid and (
            self.remainder == 'resize' or height == width)
        positions = self.patch_position if unscaled else rescale_positions(
            self.patch_position, self.grid, grid, self.position_offset)
        patches = patches.flatten(2).transpose(1, 2) + positions
        classes = (self.class_token + self.class_position).expand(
            len(patches), -1, -1)
        tokens = torch.cat([classes, patches], dim=1)

        first = self.num_tokens
        class_tokens, class_attention, affinity = [], [], 0
        for block in self.vit.blocks:
            if self.training:
                tokens = block(tokens)
            else:
                tokens, attention = attend(block, tokens)
                # Copied, so that nothing keeps the whole.
                class_attention.append(
                    attention[:, :first, first:].unflatten(2, grid).clone())
                affinity = affinity + attention[:, first:, first:]
            class_tokens.append(tokens[:, :first])
        patches = tokens[:, first:].transpose(1, 2).unflatten(2, grid)
        outputs = (patches.contiguous(), torch.stack(class_tokens))
        if self.training:
            return outputs
        return (*outputs, torch.stack(class_attention), affinity)

    def _whole_patches(self, images: Tensor) -> Tensor:
        """Images whose sides are multiples of the patch size."""
        size, patch = images.shape[2:], self.patch_size
        if self.remainder == 'resize':
            whole = [max(round(side / patch), 1) * patch for side in size]
            return resize_maps(images, whole)
        if min(size) < patch:
            raise ValueError(f"remainder='drop' leaves nothing of {tuple(size)}: an "
                             f'image needs sides of {patch} pixels at least')
        return images[..., :size[0] // patch * patch, :size[1] // patch * patch]


def attend(block: nn.Module, tokens: Tensor) -> tuple[Tensor, Tensor]:
    """Run a block of timm's transformers, and see what its tokens attend to.

    timm may compute the attention without ever having it in memory; so queries and
    keys are read on their way.

    Args:
        block (nn.Module): With ``attn.qkv``, ``attn.num_heads`` and ``attn.scale``.
        tokens (Tensor): Of shape (N, T, D).

    Returns:
        tuple[Tensor, Tensor]: The tokens behind it, and their attention, the mean
        over heads, of shape (N, T, T).
    """
    seen = []
    handle = block.attn.qkv.register_forward_hook(
        lambda module, args, output: seen.append(output))
    try:
        tokens = block(tokens)
    finally:
        handle.remove()
    attn, (qkv, ) = block.attn, seen
    query, key, _ = qkv.unflatten(
        2, (3, attn.num_heads, -1)).permute(2, 0, 3, 1, 4).unbind(0)
    return tokens, head_means(attn.q_norm(query), attn.k_norm(key), attn.scale)
