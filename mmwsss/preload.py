# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Imported by a process that forks: what its children would import one by one.

The libraries below mmwsss and its parts, and nothing that depends on a command
line. An import starts no thread and touches no GPU, so a fork is safe after it.
"""

from .import_hooks import quiet_imports
from .registration import register_all_modules

quiet_imports()
register_all_modules()
