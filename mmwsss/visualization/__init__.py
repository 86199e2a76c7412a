# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .cam_overlay import draw_mask, draw_seed, draw_tags, overlay_cam

__all__ = ['draw_mask', 'draw_seed', 'draw_tags', 'overlay_cam']
