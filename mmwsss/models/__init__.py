# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from . import (  # noqa: F401
    backbones,
    heads,
    layers,
    losses,
    refiners,
    segmentors,
    tta,
)
