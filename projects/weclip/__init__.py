# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import projects.clip_es  # noqa: F401  Its backbone and transforms register, too.

from .pair_affinity_loss import PairAffinityLoss
from .pil_random_scale import PILRandomScale
from .warmup_poly_lr import WarmupPolyLR
from .weclip_decoder import WeCLIPDecoder
from .weclip_head import WeCLIPHead
from .weclip_tta import WeCLIPTTAModel

__all__ = [
    'PILRandomScale', 'PairAffinityLoss', 'WarmupPolyLR', 'WeCLIPDecoder', 'WeCLIPHead',
    'WeCLIPTTAModel'
]
