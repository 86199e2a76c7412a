# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""What the three MCTformers read from the tokens of ``ClassTokenViT``."""

from typing import Any

from mmseg.registry import MODELS
from torch import Tensor, nn

from mmwsss.models.heads import CAMHead
from mmwsss.structures import ClassMaps

from .token_maps import from_zero, rank_weighted_pool, refine_maps


@MODELS.register_module()
class MCTformerV1Head(CAMHead):
    r"""Class maps that are attention alone.

    The mean over a class token's channels is the logit of its class; nothing else is
    trained, and the head has no parameters. In evaluation the attention of a class
    token to the patches is the map of its class, and patch affinity refines it. With
    the means over heads :math:`a_l` in block l of L, the map of class c at patch j is

    .. math::
        A_c(j) = \sum_{l > L - K} a_l(c, j), \quad
        \hat A_c(i) = \sum_j P(i, j) A_c(j), \quad P(i, j) = \sum_l a_l(i, j)

    Maps of seeds begin at 0: their least value is subtracted.

    `Multi-class Token Transformer for Weakly Supervised Semantic Segmentation
    <https://arxiv.org/abs/2203.02891>`_ (MCTformer-V1, CVPR 2022).

    Args:
        *args: Arguments of :class:`CAMHead`. ``in_channels`` are those of the tokens.
        attention_layers (int): :math:`K`, the last blocks whose class attention
            counts. Defaults to 3.
        refine (bool): Whether patch affinity refines the maps of seeds. Defaults
            to True.
        **kwargs: Arguments of :class:`CAMHead`.
    """

    # In training there are no maps, so FSAE has nothing to compare.
    gives_class_maps = False

    def __init__(self,
                 *args,
                 attention_layers: int = 3,
                 refine: bool = True,
                 **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if attention_layers < 1:
            raise ValueError(
                f'attention_layers must be positive, got {attention_layers}')
        del self.classifier
        self.attention_layers = attention_layers
        self.refine = refine

    def forward(self, inputs: tuple[Tensor, ...]) -> ClassMaps:
        """Maps and logits from what :class:`ClassTokenViT` gives in evaluation.

        Raises:
            ValueError: In training, where it gives no attention.
        """
        if len(inputs) < 4:
            raise ValueError('MCTformerV1Head makes maps of attention, which '
                             'ClassTokenViT gives in evaluation only')
        attention = self.class_attention(inputs)
        return ClassMaps(
            attention,
            self.token_logits(inputs),
            seed_maps=from_zero(self.refined(attention, inputs)))

    def token_logits(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """Class logits (N, C - 1) of the last block's class tokens."""
        return inputs[1][-1].mean(dim=-1)

    def class_attention(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """The attention of each class to each patch, (N, C - 1, h, w)."""
        return inputs[2][-self.attention_layers:].sum(dim=0)

    def refined(self, maps: Tensor, inputs: tuple[Tensor, ...]) -> Tensor:
        """Maps (N, C - 1, h, w), refined by patch affinity if so set."""
        return refine_maps(maps, inputs[3]) if self.refine else maps

    def loss(self, inputs: tuple[Tensor, ...], batch_data_samples: list,
             train_cfg: dict) -> dict[str, Tensor]:
        """Compute the classification loss.

        Args:
            inputs (tuple[Tensor]): What :class:`ClassTokenViT` gives.
            batch_data_samples (list[:obj:`SegDataSample`]): With ``tags``.
            train_cfg (dict): Unused; part of mmseg's interface.

        Returns:
            dict[str, Tensor]: Losses by name.
        """
        loss = self.loss_decode(
            self.token_logits(inputs), self.tags(batch_data_samples))
        return {self.loss_decode.loss_name: loss}


@MODELS.register_module()
class MCTformerV2Head(MCTformerV1Head):
    r"""Class maps of the patches, and attention that masks them.

    A 3x3 convolution of the patch tokens gives the trained maps F, whose means are
    further logits with the same loss. Seeds are

    .. math::
        A_c \odot ReLU(F_c)

    with the class attention A of :class:`MCTformerV1Head`, refined as there. In
    training no attention is looked at. (MCTformer-V2, CVPR 2022.)

    Args:
        *args: Arguments of :class:`MCTformerV1Head`.
        **kwargs: Arguments of :class:`MCTformerV1Head`.
    """

    gives_class_maps = True

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.classifier = nn.Conv2d(
            self.channels, self.num_classes - 1, kernel_size=3, padding=1)

    def forward(self, inputs: tuple[Tensor, ...]) -> ClassMaps:
        """Maps and logits of tokens; seed maps in evaluation only.

        Args:
            inputs (tuple[Tensor]): What :class:`ClassTokenViT` gives.

        Returns:
            ClassMaps: With what the losses need as ``extra``.
        """
        maps = self.classify(inputs[0])
        extra = dict(
            token_logits=self.token_logits(inputs),
            patch_logits=self.pool(maps),
            class_tokens=inputs[1])
        seed_maps = None
        if len(inputs) == 4:
            fused = self.fuse(self.class_attention(inputs), maps.relu())
            seed_maps = from_zero(self.refined(fused, inputs))
        return ClassMaps(
            maps, self.image_logits(extra), seed_maps=seed_maps, extra=extra)

    def image_logits(self, extra: dict[str, Any]) -> Tensor:
        """Which logits (N, C - 1) say what is in an image: the class tokens'."""
        return extra['token_logits']

    def fuse(self, attention: Tensor, maps: Tensor) -> Tensor:
        """Class attention and patch maps after ReLU, both (N, C - 1, h, w)."""
        return attention * maps

    def loss(self, inputs: tuple[Tensor, ...], batch_data_samples: list,
             train_cfg: dict) -> dict[str, Tensor]:
        """Compute the losses inside mmseg's own segmentor."""
        return self.loss_by_feat(self.forward(inputs), batch_data_samples)

    def loss_by_feat(self, class_maps: ClassMaps,
                     batch_data_samples: list) -> dict[str, Tensor]:
        """Compute the losses.

        Args:
            class_maps (ClassMaps): What :meth:`forward` returned.
            batch_data_samples (list[:obj:`SegDataSample`]): With ``tags``.

        Returns:
            dict[str, Tensor]: The classification loss of the class tokens, and that
            of the patches, ``loss_patch``.
        """
        extra = class_maps.extra
        labels = self.tags(batch_data_samples)
        return {
            self.loss_decode.loss_name:
            self.loss_decode(extra['token_logits'], labels),
            'loss_patch': self.loss_decode(extra['patch_logits'], labels)
        }


@MODELS.register_module()
class MCTformerPlusHead(MCTformerV2Head):
    r"""MCTformer-V2 with class tokens that differ from each other.

    A contrast of class tokens, pooling by rank, and seeds

    .. math::
        \sqrt{A_c \odot ReLU(F_c)}, \quad A_c(j) = \frac 1 K \sum_{l > L - K} a_l(c, j)

    The logits of an image are the means of both branches'. `MCTformer+: Multi-Class
    Token Transformer for Weakly Supervised Semantic Segmentation
    <https://arxiv.org/abs/2308.03005>`_.

    Args:
        *args: Arguments of :class:`MCTformerV2Head`.
        attention_layers (int): Defaults to 12.
        decay (float): See :func:`~projects.mctformer.token_maps.
            rank_weighted_pool`. Defaults to 0.996.
        loss_contrast (dict): The loss of (class tokens, labels). Defaults to
            ``dict(type='ClassTokenContrastLoss')``.
        **kwargs: Arguments of :class:`MCTformerV2Head`.
    """

    def __init__(self,
                 *args,
                 attention_layers: int = 12,
                 decay: float = 0.996,
                 loss_contrast: dict = dict(type='ClassTokenContrastLoss'),
                 **kwargs) -> None:
        super().__init__(*args, attention_layers=attention_layers, **kwargs)
        if not 0 <= decay <= 1:
            raise ValueError(f'decay must be within 0 and 1, got {decay}')
        self.decay = decay
        self.loss_contrast = MODELS.build(loss_contrast)

    def class_attention(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """The mean over the last blocks, in place of the sum."""
        return inputs[2][-self.attention_layers:].mean(dim=0)

    def pool(self, maps: Tensor) -> Tensor:
        """Pool raw class maps (N, C - 1, h, w) into logits (N, C - 1) by rank."""
        return rank_weighted_pool(maps, self.decay)

    def image_logits(self, extra: dict[str, Any]) -> Tensor:
        """The mean of both branches' logits."""
        return (extra['token_logits'] + extra['patch_logits']) / 2

    def fuse(self, attention: Tensor, maps: Tensor) -> Tensor:
        """The square root of what V2 has."""
        return super().fuse(attention, maps).sqrt()

    def loss_by_feat(self, class_maps: ClassMaps,
                     batch_data_samples: list) -> dict[str, Tensor]:
        """As V2's, and ``loss_contrast``."""
        losses = super().loss_by_feat(class_maps, batch_data_samples)
        tokens = class_maps.extra['class_tokens']
        labels = self.tags(batch_data_samples).to(tokens)
        losses['loss_contrast'] = self.loss_contrast(tokens, labels)
        return losses
