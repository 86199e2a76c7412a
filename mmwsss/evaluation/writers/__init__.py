# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .pseudo_label_writer import PseudoLabelWriter
from .seed_writer import SeedWriter
from .voc_server_writer import VOCServerWriter
from .walk_writer import InstanceWriter, WalkWriter

__all__ = [
    'InstanceWriter', 'PseudoLabelWriter', 'SeedWriter', 'VOCServerWriter',
    'WalkWriter'
]
