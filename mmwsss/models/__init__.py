# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from . import heads, layers, losses, refiners, segmentors, tta  # noqa: F401
