# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""A folder of images as its owner keeps it: what is there, and what tags can teach.

Nothing heavy is imported, so that a look at a folder takes no seconds.
"""

from .layout import ImageFolder, find_layout
from .splits import split_images
from .tag_checks import Finding, check_tags, likely_name

__all__ = [
    'Finding', 'ImageFolder', 'check_tags', 'find_layout', 'likely_name',
    'split_images'
]
