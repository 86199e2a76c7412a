# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
from mmengine.hooks import Hook
from mmseg.registry import HOOKS
from torch import Tensor

from mmwsss.models.layers import OffsetConv2d

from .stage_switch_hook import unwrap_model


def offset_statistics(offset: Tensor) -> dict[str, float]:
    """How far an offset convolution looks, and how often beyond the map.

    Args:
        offset (Tensor): Offsets ``(N, 2 k k, h, w)`` in pixels of the feature
            grid, dy and dx in turn for each kernel point, row by row.

    Returns:
        dict[str, float]: ``mean`` and ``max`` of the lengths of the offsets in
        pixels of the feature grid; ``outside``: of the sample points that a
        plain convolution has on the map, the fraction that lies off it.
    """
    num, channels, height, width = offset.shape
    side = round((channels / 2)**0.5)
    offset = offset.float().view(num, side, side, 2, height, width)
    length = offset.norm(dim=3)

    point = torch.arange(side, device=offset.device) - side // 2
    # Where a plain convolution samples: (k, 1, h, 1) rows, (1, k, 1, w) columns.
    rows = point[:, None] + torch.arange(height, device=offset.device)
    cols = point[:, None] + torch.arange(width, device=offset.device)
    rows, cols = rows[:, None, :, None], cols[None, :, None, :]

    def on_map(y: Tensor, x: Tensor) -> Tensor:
        return (y >= 0) & (y <= height - 1) & (x >= 0) & (x <= width - 1)

    before = on_map(rows, cols)
    after = on_map(rows + offset[:, :, :, 0], cols + offset[:, :, :, 1])
    left = (before & ~after).sum() / (num * before.sum())
    return dict(
        mean=length.mean().item(), max=length.max().item(), outside=left.item())


@HOOKS.register_module()
class OffsetMonitorHook(Hook):
    """Log how the offsets of offset convolutions grow in training.

    For each :class:`OffsetConv2d` that has sampled, the scalars
    ``offset/<layer>_mean``, ``_max`` and ``_outside`` of
    :func:`offset_statistics`, of the present batch (of the first process, where
    there are several). ``tools/analysis_tools/plot_offsets.py curves`` plots
    them.

    Args:
        interval (int): Iterations between two measurements. Defaults to 10.
    """

    def __init__(self, interval: int = 10) -> None:
        self.interval = interval

    def after_train_iter(self,
                         runner,
                         batch_idx: int,
                         data_batch: dict | None = None,
                         outputs: dict | None = None) -> None:
        """Write the scalars of this iteration into the message hub."""
        if not self.every_n_train_iters(runner, self.interval):
            return
        for name, module in unwrap_model(runner.model).named_modules():
            if isinstance(module, OffsetConv2d) and module.last_offset is not None:
                layer = name.removeprefix('decode_head.')
                for kind, value in offset_statistics(module.last_offset).items():
                    runner.message_hub.update_scalar(
                        f'train/offset/{layer}_{kind}', value)
