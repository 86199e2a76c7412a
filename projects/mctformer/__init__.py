# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .class_token_contrast_loss import ClassTokenContrastLoss
from .class_token_vit import ClassTokenViT
from .dilated_pair_head import DilatedPairHead
from .epoch_cosine_lr import EpochCosineLR
from .max_tta import MaxTTAModel
from .mctformer_heads import (
    MCTformerPlusHead,
    MCTformerV1Head,
    MCTformerV2Head,
)

__all__ = [
    'ClassTokenContrastLoss', 'ClassTokenViT', 'DilatedPairHead', 'EpochCosineLR',
    'MCTformerPlusHead', 'MCTformerV1Head', 'MCTformerV2Head', 'MaxTTAModel'
]
