# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import shutil

from mmwsss.utils import atomic_write


def copy_file(source: str, target: str) -> None:
    """Copy a file whole, or not at all."""
    with open(source, 'rb') as read, atomic_write(target) as file:
        shutil.copyfileobj(read, file)
