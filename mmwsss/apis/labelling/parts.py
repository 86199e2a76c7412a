# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""What a worker does: label a part and write it."""

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

import torch

from mmwsss.evaluation.label_checks import LabelSums
from mmwsss.shards import ShardRow, load_image_bytes
from mmwsss.shards.rows import batch_rows

from .inputs import Part
from .operator import LabelImages, LabelSettings
from .outputs import LabelFolder

# A batch is what is read while the one before is labelled.
_BATCH_BYTES = 32 << 20
_BATCH_IMAGES = 32
_MENDABLE = dict(OSError=OSError, ValueError=ValueError, ImportError=ImportError)

T = TypeVar('T')


class LabelParts:
    """Labels parts and writes them; the same in a plain loop, a process and Ray.

    The models are built for the first part, once. A part that stands already, since
    a lost node had finished it, is not made again.

    Args:
        settings (LabelSettings): How images are labelled.
        output (LabelFolder): Where to.
        tags (dict, optional): Class names by id, for rows of shards.
    """

    def __init__(self, settings: LabelSettings, output: LabelFolder,
                 tags: dict[str, list[str]] | None = None) -> None:
        self.settings = settings
        self.output = output
        self.tags = tags
        self._label: LabelImages | None = None

    def __call__(self, part: Part) -> dict:
        """Make a part.

        Returns:
            dict: Its account; or ``failed``, the kind of an error that ends the run,
            and its ``reason``. So that errors are the same whatever engine ran.
        """
        try:
            return self.output.account(part.number) or self._make(part)
        except tuple(_MENDABLE.values()) as error:
            kind = next(name for name, one in _MENDABLE.items()
                        if isinstance(error, one))
            return dict(failed=kind, reason=' '.join(str(error).split()))

    def _make(self, part: Part) -> dict:
        if self._label is None:
            # Sums of floats depend on how many threads add them up.
            torch.set_num_threads(1)
            self._label = LabelImages(self.settings)
        started, busy = time.monotonic(), time.process_time()
        sums = LabelSums(self.settings.classes)
        errors: list[tuple[str, str]] = []

        def label(label_batch: LabelImages) -> Iterator[ShardRow]:
            read = _with_images(part.rows(self.tags))
            for batch in _one_ahead(batch_rows(read, _BATCH_BYTES, _BATCH_IMAGES)):
                for source, done in zip(batch, label_batch(batch), strict=True):
                    if done.mask is None or done.tags is None:
                        errors.append((source.id, done.reason))
                        continue
                    sums.add(done.mask, done.tags)
                    if self.output.with_images:
                        done.row.image = source.image
                    yield done.row

        self.output.write(part.number, label(self._label))
        account = dict(sums=sums.to_dict(), errors=errors,
                       seconds=time.monotonic() - started,
                       cpu_seconds=time.process_time() - busy)
        self.output.write_account(part.number, account)
        return account


def failure_of(account: dict) -> Exception:
    """The error that ended a part."""
    return _MENDABLE[account['failed']](account['reason'])


def _with_images(rows: Iterable[ShardRow]) -> Iterator[ShardRow]:
    """Rows with their encoded images, read as they are asked for."""
    for row in rows:
        # Who labels the image says why it cannot be read.
        with suppress(OSError, ValueError):
            row.image = load_image_bytes(row)
        yield row


def _one_ahead(items: Iterator[T]) -> Iterator[T]:
    """Pass items on, with the next one made meanwhile in a thread."""
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(next, items, None)
        while (item := future.result()) is not None:
            future = pool.submit(next, items, None)
            yield item
