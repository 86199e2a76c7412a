# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .cam_overlay import draw_mask, draw_seed, draw_tags, overlay_cam
from .offsets import (
                      draw_offset_arrows,
                      draw_offset_magnitude,
                      offset_magnitude,
                      plot_offset_curves,
)

__all__ = [
    'draw_mask', 'draw_offset_arrows', 'draw_offset_magnitude', 'draw_seed',
    'draw_tags', 'offset_magnitude', 'overlay_cam', 'plot_offset_curves'
]
