# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""What a run writes: parts, an account of each, and the images that failed."""

import json
import re
from collections.abc import Iterable
from typing import Any

from mmwsss.shards import ShardMeta, ShardRow, list_files, read_bytes, write_shard
from mmwsss.shards.collection import ERRORS, FORMATS
from mmwsss.shards.files import filesystem, is_remote, join, require, whole_file

PNG = 'png'
OUTPUT_FORMATS = (*FORMATS, PNG)
_ACCOUNT = re.compile(r'part-(\d{6})\.json')
COLUMNS = ('id', 'path', 'tags', 'mask', 'classes', 'scores', 'width', 'height')


class LabelFolder:
    """The folder that a run writes into; picklable.

    Each part of the run is one file, ``part-000012.parquet`` or ``.tar``, or the
    PNGs of its images. When it stands, its account ``.parts/part-000012.json`` says
    so: how many images it has, which failed, what the checks count. A run that was
    killed goes on with the parts that have none; images are not looked at.

    Args:
        folder (str): Path or URL.
        kind (str): ``'parquet'``, ``'webdataset'`` or ``'png'``.
        meta (ShardMeta): What each part says of itself.
        with_images (bool): Whether parts hold the images, too. Defaults to False.
    """

    def __init__(self, folder: str, kind: str, meta: ShardMeta,
                 with_images: bool = False) -> None:
        self.folder = folder.rstrip('/') if is_remote(folder) else folder
        self.kind = kind
        self.meta = meta
        self.with_images = with_images

    def begin(self, made_from: dict[str, Any]) -> set[int]:
        """Note what the parts are made from; refuse those of others.

        Args:
            made_from (dict): Plain values that decide the content of all files.

        Returns:
            set[int]: The numbers of the parts that are done.

        Raises:
            FileExistsError: Naming the folder and what differs, if it holds files
                that were made from something else.
            OSError: Naming the folder, if it cannot be written.
        """
        made_from = json.loads(json.dumps(made_from))
        plan = self._read('plan.json')
        if plan is None:
            if self._holds_files():
                raise FileExistsError(f'{self.folder} holds files of unknown origin; '
                                      'choose another folder or remove this one')
            self._write('plan.json', made_from)
            return set()
        changed = [key for key in dict.fromkeys((*plan, *made_from))
                   if plan.get(key) != made_from.get(key)]
        if changed:
            raise FileExistsError(
                f'{self.folder} holds files made with another {" and ".join(changed)}'
                '; choose another folder or remove this one')
        names = map(_ACCOUNT.fullmatch, (
            path.rsplit('/', 1)[-1] for path in list_files(self._account(''))))
        return {int(name[1]) for name in names if name}

    def write(self, number: int, rows: Iterable[ShardRow]) -> None:
        """Write the file of a part, or its PNGs."""
        if self.kind == PNG:
            for row in rows:
                with whole_file(join(self.folder, f'{row.id}.png')) as file:
                    file.write(row.mask or b'')
            return
        columns = (*COLUMNS, 'image') if self.with_images else COLUMNS
        name = f'part-{number:06}{FORMATS[self.kind]}'
        write_shard(join(self.folder, name), rows, self.meta, columns)

    def account(self, number: int) -> dict | None:
        """What :meth:`write_account` noted of a part; None before."""
        return self._read(f'part-{number:06}.json')

    def write_account(self, number: int, account: dict) -> None:
        """Note that a part stands."""
        self._write(f'part-{number:06}.json', account)

    def write_errors(self, errors: Iterable[tuple[str, str]]) -> int:
        """Write ``errors.parquet``, columns ``id`` and ``reason``; say how many."""
        pa = require('pyarrow', self.folder)
        parquet = require('pyarrow.parquet', self.folder)
        rows = [dict(id=one, reason=reason) for one, reason in errors]
        schema = pa.schema([('id', pa.string()), ('reason', pa.string())])
        with whole_file(join(self.folder, ERRORS)) as file:
            parquet.write_table(pa.Table.from_pylist(rows, schema), file)
        return len(rows)

    def write_summary(self, summary: dict) -> None:
        """Write ``summary.json``."""
        with whole_file(join(self.folder, 'summary.json')) as file:
            file.write(json.dumps(summary, indent=1).encode())

    def existing_account(self, number: int) -> dict:
        """What was noted of a part that is done.

        Raises:
            ValueError: Naming the account, if it is damaged or gone.
        """
        account = self.account(number)
        if account is None or not {'sums', 'errors'} <= set(account):
            raise ValueError(
                f'{self._account(f"part-{number:06}.json")} is damaged: remove it, and '
                'the part is made again')
        return account

    def _account(self, name: str) -> str:
        folder = join(self.folder, '.parts')
        return join(folder, name) if name else folder

    def _read(self, name: str) -> dict | None:
        location = self._account(name)
        try:
            data = read_bytes(location)
        except FileNotFoundError:
            return None
        try:
            value = json.loads(data)
            if isinstance(value, dict):
                return value
        except (ValueError, RecursionError):
            pass
        raise ValueError(f'{location} is damaged: remove it, and what it stands for '
                         'is made again')

    def _write(self, name: str, value: dict) -> None:
        with whole_file(self._account(name)) as file:
            file.write(json.dumps(value).encode())

    def _holds_files(self) -> bool:
        if is_remote(self.folder):
            system, path = filesystem(self.folder)
            return system.exists(path) and bool(system.ls(path))
        try:
            return bool(list_files(self.folder))
        except FileNotFoundError:
            return False
