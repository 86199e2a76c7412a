# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""What an output was made from, and how far its making came."""

import json
import os.path as osp
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .io import read_json, write_json

_BEAT_SECONDS = 10
_MAX_SECONDS = 1e10  # three centuries
_EMPTY = dict(made_from={}, status='running', outputs={}, metrics={}, seconds=0.0)


@dataclass
class Decision:
    """What to do with an output, and why.

    Args:
        action (str): ``'skip'``, ``'resume'`` or ``'run'`` (make it anew).
        reason (str): In words.
    """

    action: str
    reason: str


class Ledger:
    """The account of one output, in a JSON file of its own.

    ``record`` holds what the file does, and is empty for an output that nobody
    began:

    - ``made_from``: all that decides the output, as plain values: settings,
      digests of configs and of inputs, versions;
    - ``status``: ``'running'``, ``'failed'``, ``'interrupted'`` or ``'done'``;
    - ``outputs``, ``metrics``: the digests of its files and folders, and what was
      measured, once it is done;
    - ``seconds``: the time that it took, over all runs that went on.

    A file that is damaged counts as none, and :attr:`problem` says so.

    A recipe keeps one for each step, and a tool that writes a file for each image
    keeps one in its folder. These are two files, as both write while a step runs,
    and as the tool works without a recipe, too.

    Args:
        path (str): The file; it need not exist.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.problem = ''
        self.record: dict[str, Any] = {}
        self._started = self._saved = 0.0
        self._before = 0.0
        if osp.exists(path):
            try:
                self.record = _checked(read_json(path))
            except (OSError, ValueError) as error:
                self.problem = f'its ledger {path} is damaged ({error})'

    def decide(self,
               made_from: dict[str, Any],
               digest: Callable[[str], str] | None = None) -> Decision:
        """Compare what the output was made from with what it would be now.

        Args:
            made_from (dict): As for :meth:`begin`.
            digest (Callable, optional): The digest of a path in ``outputs``.
                Defaults to None: outputs are not looked at.

        Returns:
            Decision: ``'skip'`` if it is done and as it was, ``'resume'`` if it
            was begun from the very same, else ``'run'``.
        """
        if not self.record:
            return Decision('run', self.problem or 'not run yet')
        if changes := self.changes(made_from):
            return Decision('run', f'{changes[0]} changed')
        if self.record['status'] != 'done':
            return Decision('resume', f'was {self.record["status"]}')
        for path, before in self.record['outputs'].items():
            if digest is not None and digest(path) != before:
                return Decision('run', f'its output {path} changed')
        return Decision('skip', 'unchanged')

    def changes(self, made_from: dict[str, Any]) -> list[str]:
        """The names of what it was made from otherwise than it would be now."""
        return list(_differences(self.record['made_from'], _as_read(made_from)))

    def begin(self, made_from: dict[str, Any], resume: bool = False) -> None:
        """Write down that the making begins, before anything is written.

        Args:
            made_from (dict): All that decides the output.
            resume (bool): Whether it goes on with what is there. Defaults to
                False.
        """
        self._before = self.record.get('seconds', 0.0) if resume else 0.0
        self._started = time.monotonic()
        self.record = dict(
            _EMPTY, made_from=_as_read(made_from), seconds=self._before)
        self._save()

    def beat(self) -> None:
        """Keep the time while it is being made; a kill loses a few seconds."""
        if time.monotonic() - self._saved > _BEAT_SECONDS:
            self._keep_time()
            self._save()

    def finish(self, status: str = 'done', **told: Any) -> None:
        """Write down how the making that :meth:`begin` began has ended.

        Args:
            status (str): Defaults to ``'done'``.
            **told: Further entries: ``outputs``, ``metrics``.
        """
        if not self._started:  # begun by another process
            self._started = time.monotonic() - self._age()
            self._before = self.record['seconds']
        self._keep_time()
        self.note(status=status, **told)

    def note(self, **told: Any) -> None:
        """Write down further entries."""
        self.record.update(told)
        self._save()

    def _age(self) -> float:
        """Seconds since the file was written; clocks of machines may differ."""
        return max(0.0, time.time() - osp.getmtime(self.path))

    def _keep_time(self) -> None:
        self.record['seconds'] = self._before + time.monotonic() - self._started

    def _save(self) -> None:
        write_json(self.path, self.record)
        self.problem = ''
        self._saved = time.monotonic()


def _checked(record: Any) -> dict[str, Any]:
    """A record as it was read, or an error if it is none."""
    # A tool's file was once what is "made_from" now, and nothing else.
    if isinstance(record, dict) and 'made_from' not in record:
        record = dict(made_from=record)
    if not isinstance(record, dict):
        raise ValueError('no JSON object')
    for key, empty in _EMPTY.items():
        value = record.setdefault(key, empty)
        fits = _is_time(value) if key == 'seconds' else isinstance(value, type(empty))
        if not fits:
            raise ValueError(f'{key} is {value!r}')
    for name, value in record['metrics'].items():
        if isinstance(value, int) and abs(value) > sys.float_info.max:
            raise ValueError(f'the metric {name} is too large')
    return record


def _is_time(value: Any) -> bool:
    """Whether it is a number of seconds that a run can take."""
    return isinstance(value, (int, float)) and not isinstance(
        value, bool) and 0 <= value < _MAX_SECONDS


def _as_read(value: Any) -> Any:
    """Values as they will be when they are read back."""
    return json.loads(json.dumps(value, default=repr))


def _differences(old: dict, new: dict) -> Iterator[str]:
    """Name what differs in two accounts, by dotted keys."""
    for key in dict.fromkeys((*old, *new)):
        before, after = old.get(key), new.get(key)
        if isinstance(before, dict) and isinstance(after, dict):
            prefix = '' if key == 'inputs' else f'{key}.'
            yield from (prefix + inner for inner in _differences(before, after))
        elif before != after:
            yield key
