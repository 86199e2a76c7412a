# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmwsss.ops import offset_conv2d


class OffsetConv2d(BaseModule):
    """A bias-free "same" convolution that can learn where to sample.

    As a plain layer it is a stride-1 convolution. With ``sample=True`` the same
    kernel reads its input at positions shifted by an offset field, which a
    zero-initialised branch predicts from that input (deformable convolution v1:
    no modulation mask, one field for all channels). At zero offsets both forms
    agree. ESOL, Eqs. 3 and 4.

    Args:
        in_channels (int): Channels of the input.
        out_channels (int): Channels of the output.
        kernel_size (int): Odd kernel size. Defaults to 3.
        init (str): Initialisation of the kernel, ``'kaiming'`` or
            ``'identity'`` (each channel passes through; the channel counts must
            agree). Defaults to 'kaiming'.
        offset_std (float): Standard deviation of the initial weights of the
            offset branch, 0 for zeros. Defaults to 0.

    Attributes:
        last_offset (Tensor | None): The detached offset field of the last
            forward pass with ``sample=True``, of shape (N, 2 * k * k, h, w) in
            pixels of the feature grid, ordered dy, dx for each kernel point.

    Raises:
        ValueError: If the kernel size is even, the initialisation is unknown or
            an identity is asked for between different channel counts.
    """

    def __init__(self,
                 in_channels: int,
                 out_channels: int,
                 kernel_size: int = 3,
                 init: str = 'kaiming',
                 offset_std: float = 0.) -> None:
        super().__init__()
        if kernel_size % 2 == 0:
            raise ValueError(f'kernel_size must be odd, got {kernel_size}')
        self.padding = kernel_size // 2
        self.weight = nn.Parameter(
            torch.empty(out_channels, in_channels, kernel_size, kernel_size))
        self.conv_offset = nn.Conv2d(
            in_channels,
            2 * kernel_size**2,
            kernel_size,
            padding=self.padding)
        self.last_offset: Tensor | None = None

        if init == 'kaiming':
            nn.init.kaiming_normal_(
                self.weight, mode='fan_out', nonlinearity='relu')
        elif init == 'identity':
            if in_channels != out_channels:
                raise ValueError(
                    'an identity kernel needs as many output channels as input '
                    f'channels, got {in_channels} -> {out_channels}')
            nn.init.dirac_(self.weight)
        else:
            raise ValueError(
                f"init must be 'kaiming' or 'identity', got {init!r}")
        nn.init.normal_(self.conv_offset.weight, std=offset_std)
        nn.init.zeros_(self.conv_offset.get_parameter('bias'))

    def forward(self, x: Tensor, sample: bool = False) -> Tensor:
        """Convolve.

        Args:
            x (Tensor): Features of shape (N, in_channels, h, w).
            sample (bool): Whether to read at learnt offsets. Samples outside
                the map read 0. Defaults to False.

        Returns:
            Tensor: Features of shape (N, out_channels, h, w).
        """
        if not sample:
            return F.conv2d(x, self.weight, padding=self.padding)
        # Half precision would round offsets to a fraction of a pixel.
        with torch.autocast(x.device.type, enabled=False):
            x = x.to(torch.promote_types(x.dtype, torch.float))
            offset = self.conv_offset(x)
            self.last_offset = offset.detach()
            return offset_conv2d(x, offset, self.weight)
