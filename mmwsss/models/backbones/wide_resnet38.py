# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence

from mmcv.cnn import build_norm_layer
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from ..layers import keep_statistics

NORM_CFG = dict(type='BN', requires_grad=False)


class _PreactBlock(BaseModule):
    """A residual block that normalises and activates before it convolves.

    Args:
        in_channels (int): Channels of the input.
        widths (Sequence[int]): Channels of each convolution's output.
        kernel_sizes (Sequence[int]): Kernel size of each.
        dilations (Sequence[int]): Dilation of each.
        stride (int): Stride of the first. Defaults to 1.
        dropout (float): Channel dropout before each convolution but the first.
            Defaults to 0.
        project (bool): Whether the shortcut is always a convolution; otherwise
            only where the shape changes. Defaults to False.
        norm_cfg (dict): The normalisation.
    """

    def __init__(self,
                 in_channels: int,
                 widths: Sequence[int],
                 kernel_sizes: Sequence[int],
                 dilations: Sequence[int],
                 stride: int = 1,
                 dropout: float = 0.,
                 project: bool = False,
                 norm_cfg: dict = NORM_CFG) -> None:
        super().__init__()
        self.num_convs = len(widths)
        channels = in_channels
        for i, (width, size, dilation) in enumerate(
                zip(widths, kernel_sizes, dilations, strict=True), 1):
            norm = build_norm_layer(norm_cfg, channels)[1]
            self.add_module(f'norm{i}', norm)
            self.add_module(
                f'conv{i}',
                nn.Conv2d(
                    channels,
                    width,
                    size,
                    stride=stride if i == 1 else 1,
                    padding=dilation * (size // 2),
                    dilation=dilation,
                    bias=False))
            channels = width
        self.relu = nn.ReLU(inplace=True)
        self.dropout = nn.Dropout2d(dropout) if dropout else None
        self.shortcut = None
        if project or stride != 1 or in_channels != channels:
            self.shortcut = nn.Conv2d(
                in_channels, channels, 1, stride=stride, bias=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the output, a raw sum, and the activated input."""
        activated = self.relu(self.norm1(x))
        branch = self.conv1(activated)
        for i in range(2, self.num_convs + 1):
            branch = self.relu(getattr(self, f'norm{i}')(branch))
            if self.dropout is not None:
                branch = self.dropout(branch)
            branch = getattr(self, f'conv{i}')(branch)
        # A shortcut convolution takes the activated input.
        identity = x if self.shortcut is None else self.shortcut(activated)
        return branch + identity, activated


@MODELS.register_module()
class WideResNet38(BaseModule):
    """The wide ResNet with 38 layers that weak supervision is at home on.

    A pre-activation network of output stride 8: three layers with stride, then
    dilation. `Wider or Deeper: Revisiting the ResNet Model for Visual
    Recognition <https://arxiv.org/abs/1611.10080>`_, model A1, with the dilation
    and dropout of PSA (CVPR 2018). 105,070,912 parameters.

    Its outputs by index:

    - 0: the raw sum of the third layer, before normalisation, 256 channels at
      stride 4;
    - 1: ``conv4``, what enters the fifth layer, normalised and activated, 512
      channels at stride 8;
    - 2: ``conv5``, what enters the sixth, likewise, 1024 channels;
    - 3: the normalised and activated output, 4096 channels.

    Args:
        out_indices (Sequence[int]): The outputs. Defaults to (0, 1, 2, 3).
        frozen_stages (int): The first convolution and the layers up to this
            one do not learn: -1 nothing, 1 the convolution, 2 the second layer
            too. Defaults to 2.
        norm_cfg (dict): Defaults to batch normalisation whose weights do not
            learn.
        norm_eval (bool): Whether running statistics stay fixed. Defaults to
            True.
        dropout_ratios (tuple[float]): Channel dropout within the last two
            layers. Defaults to (0.3, 0.5).
        base_channels (int): Channels of the first convolution; all others
            scale with it. Defaults to 64.
        in_channels (int): Channels of the image. Defaults to 3.
        init_cfg (dict, optional): Initialisation; He without it.

    Raises:
        ValueError: If an output or stage does not exist.

    Example:
        >>> import torch
        >>> from mmwsss.models.backbones import WideResNet38
        >>> backbone = WideResNet38(base_channels=4).eval()
        >>> [tuple(x.shape) for x in backbone(torch.rand(1, 3, 33, 33))]
        [(1, 16, 9, 9), (1, 32, 5, 5), (1, 64, 5, 5), (1, 256, 5, 5)]
    """

    def __init__(self,
                 out_indices: Sequence[int] = (0, 1, 2, 3),
                 frozen_stages: int = 2,
                 norm_cfg: dict = NORM_CFG,
                 norm_eval: bool = True,
                 dropout_ratios: tuple[float, float] = (0.3, 0.5),
                 base_channels: int = 64,
                 in_channels: int = 3,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg or dict(type='Kaiming', layer='Conv2d'))
        if not set(out_indices) <= {0, 1, 2, 3}:
            raise ValueError(
                f'out_indices must be within 0 to 3, got {tuple(out_indices)}')
        if not -1 <= frozen_stages <= 7:
            raise ValueError(
                f'frozen_stages must be within -1 to 7, got {frozen_stages}')
        self.out_indices = tuple(out_indices)
        self.frozen_stages = frozen_stages
        self.norm_eval = norm_eval

        def plain(channels, width, out_channels, stride=1, dilations=(1, 1)):
            return _PreactBlock(
                channels, (width, out_channels), (3, 3), dilations, stride,
                norm_cfg=norm_cfg)

        def bottleneck(channels, out_channels, dropout):
            widths = (out_channels // 4, out_channels // 2, out_channels)
            return _PreactBlock(
                channels, widths, (1, 3, 1), (1, 4, 1), dropout=dropout,
                project=True, norm_cfg=norm_cfg)

        c = base_channels
        self.conv1 = nn.Conv2d(in_channels, c, 3, padding=1, bias=False)
        for layer, num_blocks in ((2, 3), (3, 3), (4, 6)):
            c *= 2
            self.add_module(
                f'layer{layer}',
                nn.ModuleList(
                    plain(c if i else c // 2, c, c, 1 if i else 2)
                    for i in range(num_blocks)))
        self.layer5 = nn.ModuleList([
            plain(c, c, 2 * c, dilations=(1, 2)),
            plain(2 * c, c, 2 * c, dilations=(2, 2)),
            plain(2 * c, c, 2 * c, dilations=(2, 2)),
        ])
        self.layer6 = nn.ModuleList(
            [bottleneck(2 * c, 4 * c, dropout_ratios[0])])
        self.layer7 = nn.ModuleList(
            [bottleneck(4 * c, 8 * c, dropout_ratios[1])])
        self.norm = build_norm_layer(norm_cfg, 8 * c)[1]
        self.relu = nn.ReLU(inplace=True)
        for module in self._frozen_modules():
            module.requires_grad_(False)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Compute the features.

        Args:
            x (Tensor): Normalised images of shape (N, 3, H, W).

        Returns:
            tuple[Tensor]: The outputs of ``out_indices``.
        """
        x = self.conv1(x)
        outputs = []
        for layer in range(2, 8):
            for i, block in enumerate(getattr(self, f'layer{layer}')):
                x, activated = block(x)
                if i == 0 and layer in (5, 6):
                    outputs.append(activated)
            if layer == 3:
                # The next layer's normalisation leaves the raw sum as it is.
                outputs.append(x)
        outputs.append(self.relu(self.norm(x)))
        return tuple(outputs[i] for i in self.out_indices)

    def train(self, mode: bool = True) -> 'WideResNet38':
        """Set the training mode, but keep frozen parts frozen."""
        super().train(mode)
        for module in self._frozen_modules():
            module.eval()
        if self.norm_eval:
            keep_statistics(self)
        return self

    def _frozen_modules(self) -> list[nn.Module]:
        names = ['conv1'] + [f'layer{i}' for i in range(2, 8)]
        modules = [getattr(self, name) for name in names]
        if self.frozen_stages == 7:
            modules.append(self.norm)
            return modules
        return modules[:max(self.frozen_stages, 0)]
