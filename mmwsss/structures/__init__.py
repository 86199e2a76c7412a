# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from mmwsss.utils.label_table import (
    IMAGE_SUFFIXES,
    read_label_names,
    strip_image_suffix,
)

from .class_maps import ClassMaps
from .image_labels import (
    encode_image_labels,
    load_label_table,
    present_classes,
    save_label_table,
    stack_image_labels,
)
from .label_grid import LabelGrid
from .seed import Seed, resize_maps, strided_size, to_image_size

__all__ = [
    'IMAGE_SUFFIXES', 'ClassMaps', 'LabelGrid', 'Seed', 'encode_image_labels',
    'load_label_table', 'strip_image_suffix', 'present_classes', 'read_label_names',
    'resize_maps', 'save_label_table', 'stack_image_labels', 'strided_size',
    'to_image_size'
]
