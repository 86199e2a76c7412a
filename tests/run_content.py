# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""What two runs must have in common: all that they wrote, but for times and paths."""

import ast
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from mmwsss.utils.checkpoint import load_checkpoint_file

EXEMPT = {
    r'(.*/)?\d{8}_\d{6}(/.*|\.json)?': 'logs of mmengine, one folder a process',
    r'(.*/)?\.log/.*': 'logs of the tools that write a file an image',
    r'logs/.*': 'the output of the steps',
    r'\.lock(\.pid)?': 'who holds the folder',
    r'\.digests\.json': 'inodes and times of files, so as to not read them again',
    r'\.previous/.*': 'what was set aside when a step began anew',
    r'(train_\w+|test\w*)/\w+\.py': 'the config by mmengine: tells of resuming',
    r'report\.html': 'tells how long the steps took',
    r'report/spec\.json': 'tells how long the steps took',
    # The next run, or the next call of the tool, removes them from a step's folder.
    r'(.*/)?\.[^/]*\.tmp': 'an unfinished file',
}
"""Files of a recipe's folder that need not be the same, and why."""

TIMES = ('seconds', 'process', 'time', 'data_time', 'eta', 'memory')
"""Values that need not be the same."""


def files(folder: str) -> dict[str, str]:
    """The files of a recipe's folder that must be the same, by relative path."""
    found = {}
    for path in sorted(Path(folder).rglob('*')):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not any(re.fullmatch(e, name) for e in EXEMPT):
            found[name] = str(path)
    return found


def run_differences(folder: str, other: str) -> list[str]:
    """Where two recipes' folders differ; empty if they hold the same."""
    mine, others = files(folder), files(other)
    found = [f'{name} is in one of them only'
             for name in sorted(mine.keys() ^ others.keys())]
    for name in mine.keys() & others.keys():
        found += differences(content(mine[name], folder),
                             content(others[name], other), name)
    return found


def content(path: str, folder: str) -> object:
    """What a file says, without times and without the folder's own place."""
    if path.endswith('.pth'):
        return checkpoint_content(path)
    with open(path, 'rb') as file:
        data = file.read().replace(os.fsencode(folder), b'{folder}')
    name = os.path.relpath(path, folder)
    if name.startswith('ledger/') or name.endswith('.made_from.json'):
        return json.loads(data)
    if name.startswith('configs/'):
        # Where their lines break depends on the lengths of paths.
        return ast.dump(ast.parse(data))
    # They say what the last run did: the steps, or nothing, as they were done.
    if name == 'summary.json':
        told = json.loads(data)
        return told['title'], [(step['step'], step['metrics'])
                               for step in told['steps']]
    if name == 'summary.md':
        return re.sub(rb'\d+:\d\d', b'', data).replace(b'unchanged', b'done')
    return data


def checkpoint_content(path: str) -> dict:
    """All that a resumed training reads from a checkpoint."""
    checkpoint = load_checkpoint_file(path)
    meta = checkpoint.pop('meta', {})
    hub = checkpoint.pop('message_hub', {})
    return dict(
        checkpoint,
        meta={key: meta.get(key) for key in (
            'iter', 'epoch', 'stage', 'seed', 'sampler_seed', 'dataset_meta')},
        scalars=scalars_content(hub.get('log_scalars', {})))


def scalars_content(log_scalars: dict) -> dict[str, np.ndarray]:
    """What was logged, without times.

    Of validations the last one: that of the iteration at which a run was resumed may
    have been there twice.
    """
    return {
        name: history._log_history[-1 if name.startswith('val/') else 0:]
        for name, history in log_scalars.items()
        if name.split('/')[-1] not in TIMES
    }


def differences(one: object, other: object, where: str) -> Iterator[str]:
    """Where two values differ, to the last bit; what holds times is left out."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in {**one, **other}:
            if key in TIMES:
                continue
            if key not in one or key not in other:
                yield f'{where}: {key} is in one of them only'
            else:
                yield from differences(one[key], other[key], f'{where}: {key}')
    elif isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)) and (
            len(one) == len(other)):
        for index, pair in enumerate(zip(one, other, strict=True)):
            yield from differences(*pair, f'{where}[{index}]')
    elif not is_same(one, other):
        yield f'{where}: {str(one)[:200]!r} is not {str(other)[:200]!r}'


def is_same(one: object, other: object) -> bool:
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        one, other = one.numpy(), other.numpy()
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        # By their bytes: NaN is NaN, and -0 is not 0.
        return (one.dtype, one.shape, one.tobytes()) == (
            other.dtype, other.shape, other.tobytes())
    return type(one) is type(other) and (
        one == other or one != one and other != other)
