# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The scalars that mmengine logs, over all runs of one training."""

import glob
import json
import os.path as osp
from dataclasses import dataclass
from typing import Any


@dataclass
class Scalars:
    """What a training logged.

    Args:
        training (list[dict]): One entry a logged iteration, in order; ``step``
            is the iteration.
        validation (list[dict]): One entry a validation, in order; ``step`` is
            the iteration (or epoch) at which it ran.
    """

    training: list[dict[str, Any]]
    validation: list[dict[str, Any]]


def read_scalars(work_dir: str) -> Scalars:
    """Read ``*/vis_data/scalars.json`` below a training's folder.

    A training that was killed and resumed has one such file a run, and logged
    some iterations twice; the last entry counts. A line that a kill cut short,
    or that is no entry, is left out.

    Args:
        work_dir (str): The folder of the training.

    Returns:
        Scalars: Sorted by step.
    """
    training: dict[int, dict] = {}
    validation: dict[int, dict] = {}
    pattern = osp.join(glob.escape(work_dir), '*', 'vis_data', 'scalars.json')
    for path in sorted(glob.glob(pattern)):
        with open(path, encoding='utf-8', errors='replace') as file:
            for line in file:
                try:
                    entry = json.loads(line)
                    step = int(entry['step'])
                except (ValueError, TypeError, KeyError):
                    continue
                is_training = 'lr' in entry or 'loss' in entry
                target = training if is_training else validation
                target[step] = entry
    return Scalars(*([entries[step] for step in sorted(entries)]
                     for entries in (training, validation)))
