# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .class_maps import ClassMaps
from .image_labels import (
    PHOTO_SUFFIXES,
    encode_image_labels,
    load_label_table,
    photo_id,
    present_classes,
    read_label_names,
    save_label_table,
    stack_image_labels,
)
from .label_grid import LabelGrid
from .seed import Seed, strided_size, to_image_size

__all__ = [
    'PHOTO_SUFFIXES', 'ClassMaps', 'LabelGrid', 'Seed', 'encode_image_labels',
    'load_label_table', 'photo_id', 'present_classes', 'read_label_names',
    'save_label_table', 'stack_image_labels', 'strided_size', 'to_image_size'
]
