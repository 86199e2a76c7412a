# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from mmwsss.utils.label_table import (
    IMAGE_SUFFIXES,
    read_label_names,
    strip_image_suffix,
)

from .class_maps import ClassMaps
from .label_grid import LabelGrid
from .seed import Seed, resize_maps, strided_size, to_image_size
from .tags import (
    encode_tags,
    load_label_table,
    present_classes,
    save_label_table,
    stack_tags,
)

__all__ = [
    'IMAGE_SUFFIXES', 'ClassMaps', 'LabelGrid', 'Seed', 'encode_tags',
    'load_label_table', 'strip_image_suffix', 'present_classes', 'read_label_names',
    'resize_maps', 'save_label_table', 'stack_tags', 'strided_size',
    'to_image_size'
]
