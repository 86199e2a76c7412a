# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Weakly supervised semantic segmentation on MMSegmentation.

Importing this package registers its parts into mmseg's registries, so that
``custom_imports = dict(imports=['mmwsss'], allow_failed_imports=False)`` is
all that a config needs.
"""

from . import datasets, engine, evaluation, models  # noqa: F401
from .version import __version__

__all__ = ['__version__']
