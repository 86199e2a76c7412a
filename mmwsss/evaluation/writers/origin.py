# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""What the files of a folder were made from, and how."""

import os
import os.path as osp

import psutil
from mmseg.registry import MODELS

from mmwsss.models.refiners import DenseCRF
from mmwsss.utils import walk_files
from mmwsss.utils.io import check_output_folder
from mmwsss.utils.ledger import Ledger
from mmwsss.utils.paths import set_aside


def folder_ledger(folder: str) -> Ledger:
    """The ledger of a folder of files, one an image."""
    # Hidden, so that it is no part of what later steps read.
    return Ledger(osp.join(folder, '.made_from.json'))


def check_origin(folder: str,
                 origin: dict,
                 suffix: str,
                 renew: bool = False) -> None:
    """Make sure that a rerun goes on with the same work.

    Tools skip files that are there. Files of another checkpoint or another
    rule must not pass for those of this one, so the first run notes what it
    works from, and later runs compare. A run that wrote no file, as one whose
    checkpoint was refused, binds nobody.

    Args:
        folder (str): The output folder; made if need be.
        origin (dict): Plain values that decide the files' content.
        suffix (str): The suffix of the files.
        renew (bool): Whether files of another or unknown origin make way: the
            folder becomes ``<folder>.previous``, in place of an earlier one.
            Defaults to False.

    Raises:
        FileExistsError: If the folder holds files of another or unknown origin, or
            if another run with another origin is about to write there; if it is to
            make way and holds files of another kind, or the working directory.
        OSError: Naming the folder, if it is read-only, full or no folder.
    """
    check_output_folder(folder)
    ledger = folder_ledger(folder)
    decision = ledger.decide(origin)
    if decision.action != 'run':
        return
    is_taken = any(name.endswith(suffix) for name in walk_files(folder))
    if is_taken and not renew:
        what = f'{suffix} files of unknown origin'
        if ledger.problem:
            what += f': {ledger.problem}'
        elif ledger.record:
            what = f'files made with another {" and ".join(ledger.changes(origin))}'
        raise FileExistsError(
            f'{folder} holds {what}; choose another folder, or let this one become '
            f'{osp.realpath(folder)}.previous by --renew')
    process = ledger.record.get('process')
    if process and is_another_process(process):
        raise FileExistsError(
            f'another run (process {process[0]}) with another '
            f'{" and ".join(ledger.changes(origin))} works in {folder}')
    if is_taken:
        _make_way(folder, suffix)
    ledger.begin(origin)
    ledger.note(process=[os.getpid(), start_of_process(os.getpid())])


def _make_way(folder: str, suffix: str) -> None:
    """Set a folder aside that holds nothing but files of one kind."""
    # Of a link the target, which stays on its disk.
    folder = osp.realpath(folder)
    others = (name for name in walk_files(folder) if not name.endswith(suffix))
    found = next(others, None)
    if found is None and osp.commonpath([os.getcwd(), folder]) == folder:
        found = 'the working directory'
    if found is not None:
        raise FileExistsError(f'{folder} holds {found}, too, so --renew leaves it as '
                              'it is; choose another folder')
    set_aside(folder, f'{folder}.previous')
    os.makedirs(folder)


def is_another_process(process: list) -> bool:
    """Whether a process, by number and start, is there and not this one."""
    try:
        number, start = process
        return number != os.getpid() and abs(
            start_of_process(number) - start) < 1
    except (psutil.Error, TypeError, ValueError):
        return False


def start_of_process(number: int) -> float:
    """When a process began, in seconds since the machine started: the clock may be
    set while it runs.

    Args:
        number (int): The process.

    Raises:
        psutil.Error: If there is no such process.
    """
    boot = psutil.boot_time()
    return psutil.Process(number).create_time() - boot


def read_origin(folder: str) -> dict | None:
    """What the files of a folder were made from; None if nobody noted it.

    Raises:
        ValueError: If the note is damaged.
    """
    ledger = folder_ledger(folder)
    if ledger.problem:
        raise ValueError(ledger.problem)
    return ledger.record.get('made_from')


def write_method(folder: str, crf: str) -> None:
    """Note what a protocol says of the label maps in a folder.

    Unlike the origin it may change in between: all backends of the dense CRF
    make the same labels.

    Args:
        folder (str): The folder, whose origin was checked.
        crf (str): Which dense CRF took part, or ``'no'``.
    """
    folder_ledger(folder).note(crf=crf)


def read_method(folder: str) -> str | None:
    """What :func:`write_method` noted, or None."""
    return folder_ledger(folder).record.get('crf')


def finish_origin(folder: str) -> None:
    """Note that all files of a folder are made, if its origin was noted."""
    ledger = folder_ledger(folder)
    if ledger.record and ledger.record['status'] != 'done':
        ledger.note(status='done')


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
