# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Parts labelled by Ray Data, on this machine or a cluster."""

import json
import logging
import os
import pickle
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from mmwsss.version import __version__

from .inputs import Part
from .parts import LabelParts

# Parts and their accounts travel, images and masks do not.
_OBJECT_STORE_BYTES = 256 << 20
_PROBE_SECONDS = 120


class RayLabelParts:
    """An actor: :class:`LabelParts` on Ray Data's batches.

    Args:
        work (LabelParts): What it does.
    """

    def __init__(self, work: LabelParts) -> None:
        self.work = work

    def __call__(self, batch: dict) -> dict:
        """Make the parts of a batch."""
        # Plain bytes and text are all that Arrow's tables carry without a fuss.
        return dict(account=[json.dumps(self.work(pickle.loads(part)))  # noqa: S301
                             for part in batch['part']])


def label_by_ray(work: LabelParts, parts: Iterable[Part], actors: int,
                 gpus: float = 0) -> Iterator[dict]:
    """Make parts by an actor pool of Ray Data, one model an actor.

    A cluster that is connected already, or that ``RAY_ADDRESS`` names, is used; else
    one begins on this machine and ends with the run. Ray starts lost actors again,
    and what they had begun.

    Args:
        work (LabelParts): What an actor does.
        parts (Iterable[Part]): The parts.
        actors (int): How many at most; fewer where the cluster has no place.
        gpus (float): Of each actor. Defaults to 0.

    Yields:
        dict: The account of each part, in no order.

    Raises:
        ImportError: If Ray is not installed.
        ConnectionError: If the cluster cannot be reached.
        OSError: If a node lacks this package or has another version.
    """
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise ImportError('the engine "ray" needs Ray Data: pip install "ray[data]" '
                          f'({error})') from error
    with _connected(ray):
        check_nodes(ray)
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        logging.getLogger('ray.data').setLevel(logging.ERROR)
        items = [dict(part=pickle.dumps(part)) for part in parts]
        # One part a block: what a lost actor had begun is little.
        accounts = ray.data.from_items(
            items, override_num_blocks=len(items)).map_batches(
                RayLabelParts, fn_constructor_args=(work, ), batch_size=1,
                num_cpus=1, num_gpus=gpus or None,
                compute=ray.data.ActorPoolStrategy(
                    min_size=1, max_size=actors, initial_size=actors))
        for row in accounts.iter_rows():
            yield json.loads(row['account'])


@contextmanager
def _connected(ray: Any) -> Iterator[None]:
    if ray.is_initialized():
        yield
        return
    os.environ.setdefault('RAY_USAGE_STATS_ENABLED', '0')
    address = os.environ.get('RAY_ADDRESS')
    options: dict = dict(
        include_dashboard=False, object_store_memory=_OBJECT_STORE_BYTES)
    try:
        # Ray itself would knock for many minutes.
        host, colon, port = (address or '').removeprefix('ray://').rpartition(':')
        if colon and port.isdecimal():
            socket.create_connection((host.strip('[]'), int(port)), 10).close()
        ray.init(log_to_driver=False, logging_level=logging.WARNING,
                 **({} if address else options))
    except Exception as error:
        where = f'the cluster {address}' if address else 'Ray'
        raise ConnectionError(
            f'cannot reach {where}: {" ".join(str(error).split())}') from error
    try:
        yield
    finally:
        ray.shutdown()


def check_nodes(ray: Any) -> None:
    """Make sure that each node of a cluster has this version of the package.

    Raises:
        OSError: Naming the node and what it says.
    """
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    # Nested, so that it travels as code: a node without us could not look it up.
    def version() -> str:
        try:
            from mmwsss import version as ours
            return ours.__version__
        except ImportError as error:
            return f'it cannot import mmwsss ({error})'

    nodes = [node for node in ray.nodes() if node['Alive']]
    ask = ray.remote(num_cpus=0)(version)
    answers = [
        ask.options(scheduling_strategy=NodeAffinitySchedulingStrategy(
            node['NodeID'], soft=True)).remote() for node in nodes]
    for node, answer in zip(nodes, ray.get(answers, timeout=_PROBE_SECONDS),
                            strict=True):
        if answer != __version__:
            raise OSError(
                f'the cluster node {node["NodeManagerAddress"]} does not have mmwsss '
                f'{__version__}: {answer}; install it on every node')
