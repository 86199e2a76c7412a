# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .image_labels import (
    PHOTO_SUFFIXES,
    encode_image_labels,
    load_label_table,
    photo_id,
    read_label_names,
    save_label_table,
    stack_image_labels,
)
from .label_grid import LabelGrid
from .seed import Seed

__all__ = [
    'PHOTO_SUFFIXES', 'LabelGrid', 'Seed', 'encode_image_labels',
    'load_label_table', 'photo_id', 'read_label_names', 'save_label_table',
    'stack_image_labels'
]
