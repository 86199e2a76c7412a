# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from mmseg.registry import MODELS
from torch import Tensor, nn

from mmwsss.ops import feature_clip
from mmwsss.structures import ClassMaps

from ..layers import OffsetConv2d
from .cam_head import CAMHead

STAGES = ('classify', 'expand', 'shrink')


@MODELS.register_module()
class ESOLHead(CAMHead):
    """Expansion and shrinkage of class activation maps by offset learning.

    Two convolutions sit between the backbone and the classifier. They learn as
    plain layers in stage ``classify``. Then their kernels freeze and they sample
    at learnt offsets: in ``expand`` the first one by gradient ascent on the
    classification loss, which leads it to ever less discriminative parts of the
    object; in ``shrink`` the second one by descent on classification and area
    loss, which drops the background again. Only an offset branch learns in
    these two stages. ESOL (NeurIPS 2022), Sections 3.2 and 3.3.

    There is no official code. What the paper leaves open is an argument here;
    ``configs/esol/README.md`` discusses each.

    Args:
        in_channels (int): Channels of the feature map.
        num_classes (int): All classes, background included.
        mid_channels (int, optional): Channels of both convolutions. Defaults to
            ``in_channels``.
        kernel_size (int): Kernel size of both convolutions, 1 or 3 in the paper.
            Defaults to 3.
        act (bool): Whether a ReLU follows each convolution. Defaults to True.
        conv_init (str): ``'kaiming'``, or ``'identity'``, which starts at the
            plain CAM of the backbone. Defaults to 'kaiming'.
        offset_std (float): Initial standard deviation of the offset branches'
            weights. Defaults to 0: a stage starts where the last one ended.
        clip_ratio (float, optional): ``beta`` of the feature clipping behind the
            first convolution, None for no clipping. Defaults to 0.15.
        clip_stages (tuple[str]): The stages with clipping. Defaults to
            ('expand', 'shrink').
        clip_detach_max (bool): See :func:`feature_clip`. Defaults to True.
        expand_offsets (bool): Whether the first convolution samples at offsets.
            Otherwise its kernel learns in ``expand`` (Appendix A.1.1). Defaults
            to True.
        expand_trains_kernel (bool): Whether that kernel learns beside its
            offsets (Appendix A.1.3). Defaults to False.
        expand_keeps_conv_2 (bool): Whether ``expand`` passes the second
            convolution, which the classifier was fitted on. Defaults to True.
        shrink_offsets (bool): Whether the second convolution samples at offsets.
            Otherwise its kernel learns in ``shrink``. Defaults to True.
        shrink_trains (str): What learns in ``shrink``: ``'offsets'``,
            ``'offsets+classifier'`` or ``'offsets+conv_2+classifier'``. Defaults
            to 'offsets'.
        loss_expand (dict): Loss of stage ``expand``, weighted ``alpha``.
        loss_shrink (dict): Classification loss of stage ``shrink``, weighted
            ``gamma``.
        loss_area (dict, optional): Area loss of stage ``shrink``, weighted
            ``mu``; None for none.
        stage (str): The stage at build. Defaults to 'classify'.
        **kwargs: Further arguments of :class:`CAMHead`.

    Raises:
        ValueError: If ``stage``, a clip stage or ``shrink_trains`` is unknown.
    """

    SHRINK_TRAINS = ('offsets', 'offsets+classifier',
                     'offsets+conv_2+classifier')

    def __init__(self,
                 in_channels: int,
                 num_classes: int,
                 mid_channels: int | None = None,
                 kernel_size: int = 3,
                 act: bool = True,
                 conv_init: str = 'kaiming',
                 offset_std: float = 0.,
                 clip_ratio: float | None = 0.15,
                 clip_stages: tuple[str, ...] = ('expand', 'shrink'),
                 clip_detach_max: bool = True,
                 expand_offsets: bool = True,
                 expand_trains_kernel: bool = False,
                 expand_keeps_conv_2: bool = True,
                 shrink_offsets: bool = True,
                 shrink_trains: str = 'offsets',
                 loss_expand: dict = dict(
                     type='InverseClassificationLoss', loss_weight=0.01),
                 loss_shrink: dict = dict(type='MultiLabelSoftMarginLoss'),
                 loss_area: dict | None = dict(type='AreaLoss'),
                 stage: str = 'classify',
                 **kwargs) -> None:
        mid_channels = mid_channels or in_channels
        super().__init__(
            in_channels, num_classes, channels=mid_channels, **kwargs)
        for name in clip_stages:
            self._check_stage(name)
        if shrink_trains not in self.SHRINK_TRAINS:
            raise ValueError(f'shrink_trains must be one of {self.SHRINK_TRAINS}'
                             f', got {shrink_trains!r}')
        self.act = nn.ReLU() if act else nn.Identity()
        self.conv_1 = OffsetConv2d(in_channels, mid_channels, kernel_size,
                                   conv_init, offset_std)
        self.conv_2 = OffsetConv2d(mid_channels, mid_channels, kernel_size,
                                   conv_init, offset_std)
        self.clip_ratio = clip_ratio
        self.clip_stages = clip_stages
        self.clip_detach_max = clip_detach_max
        self.expand_offsets = expand_offsets
        self.expand_trains_kernel = expand_trains_kernel
        self.expand_keeps_conv_2 = expand_keeps_conv_2
        self.shrink_offsets = shrink_offsets
        self.shrink_trains = shrink_trains
        self.loss_expand = MODELS.build(loss_expand)
        self.loss_shrink = MODELS.build(loss_shrink)
        self.loss_area = MODELS.build(loss_area) if loss_area else None
        self.switch_stage(stage)

    @property
    def trains_backbone(self) -> bool:
        """bool: Whether the present stage updates what feeds this head."""
        return self.stage == 'classify'

    def switch_stage(self, stage: str) -> None:
        """Choose which layers sample, what learns and by which loss.

        Args:
            stage (str): ``'classify'``, ``'expand'`` or ``'shrink'``.

        Raises:
            ValueError: If the stage is unknown.
        """
        self._check_stage(stage)
        self.stage = stage
        self.requires_grad_(False)
        for module_or_parameter in self._trained_parts():
            module_or_parameter.requires_grad_(True)

    def forward(self, inputs: tuple[Tensor, ...]) -> ClassMaps:
        """Score every pixel; see :meth:`CAMHead.forward`."""
        x = self._transform_inputs(inputs)
        if not self.trains_backbone:
            x = x.detach()
        x = self.act(self.conv_1(x, self._samples_at_conv_1))
        if self.stage == 'shrink':
            x = x.detach()
        if self.clip_ratio is not None and self.stage in self.clip_stages:
            x = feature_clip(x, self.clip_ratio, self.clip_detach_max)
        if self.stage != 'expand' or self.expand_keeps_conv_2:
            x = self.act(self.conv_2(x, self._samples_at_conv_2))
        maps = self.classify(x)
        return ClassMaps(maps, self.pool(maps))

    def loss_by_feat(self, class_maps: ClassMaps,
                     batch_data_samples: list) -> dict[str, Tensor]:
        """The losses of the present stage; see :meth:`CAMHead.loss_by_feat`."""
        if self.stage == 'classify':
            return super().loss_by_feat(class_maps, batch_data_samples)
        labels, logits = self.tags(batch_data_samples), class_maps.logits
        if self.stage == 'expand':
            return {self.loss_expand.loss_name: self.loss_expand(logits, labels)}
        losses = {self.loss_shrink.loss_name: self.loss_shrink(logits, labels)}
        if self.loss_area is not None:
            losses[self.loss_area.loss_name] = self.loss_area(
                class_maps.maps, labels)
        return losses

    @property
    def _samples_at_conv_1(self) -> bool:
        return self.stage != 'classify' and self.expand_offsets

    @property
    def _samples_at_conv_2(self) -> bool:
        return self.stage == 'shrink' and self.shrink_offsets

    def _trained_parts(self) -> list:
        """Modules and parameters that learn in the present stage."""
        if self.stage == 'classify':
            return [self.conv_1.weight, self.conv_2.weight, self.classifier]
        if self.stage == 'expand':
            if not self.expand_offsets:
                return [self.conv_1.weight]
            kernel = [self.conv_1.weight] if self.expand_trains_kernel else []
            return [self.conv_1.conv_offset, *kernel]
        parts: list[nn.Module | nn.Parameter] = []
        if self.shrink_offsets:
            parts.append(self.conv_2.conv_offset)
        if not self.shrink_offsets or 'conv_2' in self.shrink_trains:
            parts.append(self.conv_2.weight)
        if 'classifier' in self.shrink_trains:
            parts.append(self.classifier)
        return parts

    @staticmethod
    def _check_stage(stage: str) -> None:
        if stage not in STAGES:
            raise ValueError(f'stage must be one of {STAGES}, got {stage!r}')
