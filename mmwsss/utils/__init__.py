# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .config import change_config, check_keys, load_config, read_config, set_data_root
from .io import atomic_write, naming, read_json, write_json, write_lines
from .lists import (
    MAX_CLASSES,
    check_image_ids,
    check_unique,
    read_class_names,
    read_id_list,
    with_background,
)
from .nested import all_strings, map_strings
from .paths import follow_checkpoint, project_path, walk_files
from .text import read_lines, read_text

__all__ = [
    'MAX_CLASSES', 'all_strings', 'atomic_write', 'change_config', 'check_image_ids',
    'check_keys', 'check_unique', 'follow_checkpoint', 'load_config', 'map_strings',
    'naming', 'project_path', 'read_class_names', 'read_config', 'read_id_list',
    'read_json', 'read_lines', 'read_text', 'set_data_root', 'walk_files',
    'with_background', 'write_json', 'write_lines'
]
