# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Work on many files in several processes."""

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import wait
from typing import Any, TextIO

_THREADS = ('OMP_NUM_THREADS', 'MKL_NUM_THREADS', 'OPENBLAS_NUM_THREADS')
_DIED = 'a worker process died; perhaps the memory is full, try fewer jobs'
_work: Callable[[Any], Any]  # Set in each worker.


class WorkerPool:
    """Worker processes that apply one function to a stream of items.

    Workers are forks of a fresh process that imports mmwsss once (Python's
    fork server), which is safe beside CUDA, threads and ``torch.distributed``.
    They use one thread each and end with the process that started them, even
    if that is killed. Items wait in a bounded queue, so that a fast producer
    does not fill the memory. Results come in the order of the items.

    Args:
        jobs (int): Number of workers; 0 works in this process.
        setup (Callable): Called once in each worker with ``args``; returns
            the function that is applied to items.
        *args: Arguments of ``setup``; must be picklable, as items and results.
    """

    def __init__(self, jobs: int, setup: Callable[..., Callable],
                 *args) -> None:
        if jobs < 0:
            raise ValueError(f'jobs must be at least 0, got {jobs}')
        self.jobs = jobs
        self._pending: deque[Future] = deque()
        self._executor = None
        if jobs == 0:
            self._function = setup(*args)
        else:
            context = multiprocessing.get_context('forkserver')
            context.set_forkserver_preload(['mmwsss.preload'])
            self._executor = ProcessPoolExecutor(
                jobs, context, _start_worker, (setup, args))

    def map(self, items: Iterable) -> Iterator[Any]:
        """Yield the result of each item, in order.

        Raises:
            Exception: What the function raised for an item.
            ChildProcessError: If a worker died.
        """
        for item in items:
            yield from self.submit(item)
        yield from self.finish()

    def submit(self, item: Any) -> list:
        """Hand in an item; return the results that had to be waited for."""
        if self._executor is None:
            return [self._function(item)]
        with _single_threaded():
            self._pending.append(self._executor.submit(_apply, item))
        if len(self._pending) > 4 * self.jobs:
            return [self._next()]
        return []

    def finish(self) -> list:
        """Wait for all items; return the remaining results."""
        results = []
        while self._pending:
            results.append(self._next())
        return results

    def close(self) -> None:
        """End the workers; items not yet begun are dropped."""
        if self._executor is not None:
            self._executor.shutdown(cancel_futures=True)

    def __enter__(self) -> 'WorkerPool':
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def _next(self) -> Any:
        try:
            return self._pending.popleft().result()
        except BrokenProcessPool as error:
            raise ChildProcessError(_DIED) from error


def map_in_forks(function: Callable[[Any], Any], items: Iterable, jobs: int,
                 chunksize: int = 8) -> Iterator[Any]:
    """Apply a function to many files in forks of this process.

    They know what this process has imported, and start in no time; a process with
    threads or a GPU takes :class:`WorkerPool`.

    Args:
        function (Callable): Applied to each item.
        items (Iterable): The items.
        jobs (int): Number of processes.
        chunksize (int): Items that a process takes at a time. Defaults to 8.

    Yields:
        Any: The results, in order.

    Raises:
        ChildProcessError: If a process died.
    """
    # Ctrl-C ends them through this process.
    ignore = (signal.SIGINT, signal.SIG_IGN)
    with ProcessPoolExecutor(
            jobs, multiprocessing.get_context('fork'), signal.signal, ignore) as pool:
        try:
            yield from pool.map(function, items, chunksize=chunksize)
        except BrokenProcessPool as error:
            raise ChildProcessError(_DIED) from error
        finally:
            pool.shutdown(cancel_futures=True)


def track_progress(items: Iterable, total: int,
                   file: TextIO | None = None) -> Iterator[Any]:
    """Pass items on while a bar shows their number, pace and remaining time.

    Args:
        items (Iterable): The items.
        total (int): How many there will be.
        file (TextIO, optional): Where the bar goes. Defaults to the standard output.
    """
    if not total:
        yield from items
        return
    from mmengine.utils import ProgressBar
    file = file or sys.stdout
    # A log keeps every update.
    pause = 0.5 if file.isatty() else 2.
    bar, fresh, shown = ProgressBar(total, file=file), 0, time.monotonic()
    for item in items:
        yield item
        fresh += 1
        if time.monotonic() - shown > pause:
            bar.update(fresh)
            fresh, shown = 0, time.monotonic()
    if fresh:
        bar.update(fresh)
    bar.file.write('\n')


def _start_worker(setup: Callable[..., Callable], args: tuple) -> None:
    global _work
    # Ctrl-C is for the process that started this one, with which it ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    import torch
    torch.set_num_threads(1)
    _work = setup(*args)


def _end_with_parent() -> None:
    # By themselves, an executor's workers outlive a parent that is killed.
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _apply(item: Any) -> Any:
    return _work(item)


@contextmanager
def _single_threaded() -> Iterator[None]:
    """Let processes that start now inherit one thread for linear algebra."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, '1'))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
