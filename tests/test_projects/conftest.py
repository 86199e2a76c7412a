# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Paths: of ``projects``, as a user's PYTHONPATH, and of what other tests share."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
for folder in (ROOT, *(ROOT / 'tests' / f'test_{room}'
                       for room in ('models', 'ops', 'tools'))):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
