# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .mask_writer import MaskWriter
from .pseudo_label_writer import PseudoLabelWriter
from .seed_writer import SeedWriter
from .voc_server_writer import VOCServerWriter
from .walk_writer import InstanceWriter, WalkWriter

__all__ = [
    'InstanceWriter', 'MaskWriter', 'PseudoLabelWriter', 'SeedWriter',
    'VOCServerWriter', 'WalkWriter'
]
