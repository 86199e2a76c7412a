# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .config import read_config, set_data_root
from .io import atomic_write, read_json, write_json
from .paths import project_path

__all__ = [
    'atomic_write', 'project_path', 'read_config', 'read_json', 'set_data_root',
    'write_json'
]
