# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""A training step of SANCE: its CRF in this process, in a worker.

Beside it the share of each part of a step, in per cent.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial, wraps

import torch
from mmengine.optim import build_optim_wrapper
from mmseg.registry import MODELS

from .timing import alternate, ratio_row
from .training import random_batch, random_model, training_config

# Of larger crops a step of the paper's network takes a minute.
LARGEST = 320
WORKERS = 1


def compare(args) -> Iterator[dict]:
    """Steps with online labels on random images."""
    cfg = training_config(args, ('sance', 'sance_demo.py'))
    for size in args.sizes:
        if size > LARGEST:
            continue
        steps = {
            'CRF in this process': Step(cfg, 0, size, args.device),
            f'CRF in {WORKERS} worker': Step(cfg, WORKERS, size, args.device),
        }
        try:
            # Processor time would not count the worker's.
            seconds, _ = alternate(steps, args.runs)
        finally:
            for step in steps.values():
                step.close()
        here, there = steps.values()
        yield ratio_row(
            'sance', f'{here.number} crops of {size} x {size}', seconds, *steps,
            size=size, classes=here.classes, **here.shares())


class Step:
    """One training step, called again and again, whose parts are timed.

    Args:
        cfg (Config): The config of a SANCE model.
        crf_jobs (int): Worker processes of the CRF.
        size (int): Height and width of a crop.
        device (str): Where to train.
    """

    def __init__(self, cfg, crf_jobs: int, size: int, device: str) -> None:
        # A step with online labels.
        self.model = MODELS.build(
            dict(random_model(cfg), crf_jobs=crf_jobs, start_iter=0))
        self.model = self.model.to(device).train()
        self.optimizer = build_optim_wrapper(self.model, cfg.optim_wrapper)
        self.number = cfg.train_dataloader.batch_size
        self.classes = self.model.auxiliary_head.num_classes
        self.batch = partial(random_batch, self.number, size, self.classes)
        self.seconds = defaultdict(float)
        model = self.model
        model.maps = self._timed('forward', model.maps)
        model.online_labels = self._timed('random_walk', model.online_labels)
        model.crf.start = self._timed('CRF', model.crf.start)
        model.crf.finish = self._timed('CRF', model.crf.finish)
        for head in (model.decode_head, model.auxiliary_head):
            head.loss_decode.forward = self._timed(
                'losses', head.loss_decode.forward)
        self.optimizer.update_params = self._timed(
            'backward', self.optimizer.update_params)

    def __call__(self) -> None:
        self._timed('all', self.model.train_step)(self.batch(), self.optimizer)

    def shares(self) -> dict[str, float]:
        """Per cent of a step that each part takes."""
        whole = self.seconds['all']
        return {name: 100 * value / whole
                for name, value in self.seconds.items() if name != 'all'}

    def close(self) -> None:
        """End the workers."""
        if self.model.crf._pool is not None:
            self.model.crf._pool.close()

    def _timed(self, name: str, function: Callable) -> Callable:
        @wraps(function)
        def wrapper(*args, **kwargs):
            start = time.perf_counter()
            result = function(*args, **kwargs)
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            self.seconds[name] += time.perf_counter() - start
            return result
        return wrapper
