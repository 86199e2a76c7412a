# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .io import atomic_write, read_json, write_json
from .paths import project_path

__all__ = ['atomic_write', 'project_path', 'read_json', 'write_json']
