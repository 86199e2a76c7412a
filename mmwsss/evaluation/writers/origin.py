# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""What the files of a folder were made from, and how."""

import os
import os.path as osp

from mmseg.registry import MODELS

from mmwsss.models.refiners import DenseCRF
from mmwsss.utils import read_json, write_json

# Hidden, so that it is no part of what later steps read.
ORIGIN_FILE = '.made_from.json'
METHOD_FILE = '.made_by.json'


def check_origin(folder: str, origin: dict, suffix: str) -> None:
    """Make sure that a rerun goes on with the same work.

    Tools skip files that are there. Files of another checkpoint or another
    rule must not pass for those of this one, so the first run notes what it
    works from, and later runs compare.

    Args:
        folder (str): The output folder; made if need be.
        origin (dict): Plain values that decide the files' content.
        suffix (str): The suffix of the files.

    Raises:
        FileExistsError: If the folder holds files of another or unknown origin.
    """
    path = osp.join(folder, ORIGIN_FILE)
    if osp.exists(path):
        before = read_json(path)
        changed = [key for key in {**before, **origin}
                   if before.get(key) != origin.get(key)]
        if changed:
            raise FileExistsError(
                f'{folder} holds files made with another '
                f'{" and ".join(sorted(changed))}; choose another folder or '
                'remove this one')
        return
    if osp.isdir(folder) and any(
            name.endswith(suffix) for name in os.listdir(folder)):
        raise FileExistsError(f'{folder} holds {suffix} files of unknown origin; '
                         'choose another folder or remove this one')
    write_json(path, origin)


def write_method(folder: str, crf: str) -> None:
    """Note what a protocol says of the label maps in a folder.

    Unlike the origin it may change in between: all backends of the dense CRF
    make the same labels.

    Args:
        folder (str): The folder.
        crf (str): Which dense CRF took part, or ``'no'``.
    """
    write_json(osp.join(folder, METHOD_FILE), dict(crf=crf))


def read_method(folder: str) -> str | None:
    """What :func:`write_method` noted, or None."""
    path = osp.join(folder, METHOD_FILE)
    return read_json(path)['crf'] if osp.exists(path) else None


def describe_crf(rule: dict, device: str = 'cpu') -> str:
    """What a protocol says of a label rule's dense CRF.

    Args:
        rule (dict): Config of the label rule.
        device (str): The type of device that it works on. Defaults to 'cpu'.

    Returns:
        str: Such as ``'dense CRF (numba), irn_label'``; ``'no'`` without one.
    """
    found = [module.describe(device) for module in MODELS.build(rule).modules()
             if isinstance(module, DenseCRF)]
    return '; '.join(dict.fromkeys(found)) or 'no'
