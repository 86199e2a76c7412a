# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""How long a recipe will take, from its first iterations."""

import math
import os.path as osp
import re
from collections.abc import Callable
from typing import Any

from mmwsss.utils import read_lines
from mmwsss.utils.epochs import resolve_epochs, shortened
from mmwsss.utils.image_files import sort_files
from mmwsss.utils.spread import MOST_IMAGES

from .recipe import Recipe, Step

_ITERATION = re.compile(r'Iter\(train\) +\[ *(\d+)/\d+\].*\btime: ([\d.]+)')
_WARM = 10
"""Earlier iterations are slow."""

# Forward and backward pass, against the forward pass of a prediction.
_TRAINING = 3
# Of each step, before its work.
_START_SECONDS = 5
# Of an image on one core, as measured on images of 320 pixels.
_SECONDS = dict(refine=0.4, walk=0.5, choose=0.4, check=0.02, report=0.02,
                score_seeds=0.03, score_masks=0.02)


class Forecast:
    """Says once, after the first iterations of a run, how long it will take.

    Work counts in pixels that pass a network; what a pixel costs is measured.

    Args:
        recipe (Recipe): The recipe.
        config_of (Callable): The full config of a step, as far as it is known.
        processes (int): How many processes train.
    """

    def __init__(self, recipe: Recipe, config_of: Callable[[Step], Any],
                 processes: int = 1) -> None:
        self.recipe = recipe
        self.config_of = config_of
        self.processes = processes
        self.told = False
        self.rate = 0.  # seconds of a pixel that passes a network once

    def look(self, step: Step, line: str) -> str:
        """What a line of a training's log lets one say; '' most of the time.

        Args:
            step (Step): The training.
            line (str): A line of its log.
        """
        found = None if self.told else _ITERATION.search(line)
        if found is None or int(found[1]) < _WARM:
            return ''
        self.told = True
        iteration = float(found[2])
        try:
            pixels = _batch_pixels(self.config_of(step))
            self.rate = iteration / (_TRAINING * pixels)
            rest = [other for other in self.recipe.steps
                    if other not in self.recipe.earlier(step)]
            seconds = sum(map(self.seconds, rest))
            short = ''.join(map(self._shortened, rest))
        # A recipe of one's own may leave out what is counted here.
        except (AttributeError, KeyError, OSError, TypeError, ValueError):
            return ''
        return (f'expected: about {max(1, round(seconds / 60))} minutes for the whole '
                f'run, at {iteration:.1f} s an iteration of {step.name}{short}')

    def _shortened(self, step: Step) -> str:
        """What to say of a training that sees its many images less often."""
        if step.type != 'train':
            return ''
        cfg = self.config_of(step)
        images = _count(cfg, 'train_dataloader')
        parts = shortened(cfg, images, self.processes)
        return ''.join(
            f'; {" ".join(filter(None, (step.name, part)))} sees each of {images} '
            f'photos {left:.1f} times, not {epochs:g} (cap_iters)'
            for part, (left, epochs) in parts.items())

    def seconds(self, step: Step) -> float:
        """How long a step takes, from its start."""
        if step.type not in (*_SECONDS, 'train', 'seeds', 'test'):
            return _START_SECONDS
        cfg = self.config_of(step)
        if step.type == 'train':
            resolve_epochs(cfg, _count(cfg, 'train_dataloader'), self.processes)
            return _START_SECONDS + self.train_seconds(step, cfg)
        if step.type in _SECONDS:
            images = min(_count(cfg, 'seed_dataloader', 'test_dataloader'),
                         MOST_IMAGES.get(step.type, math.inf))
            stages = len(step.spec.get('stages') or 'x')
            return _START_SECONDS + images * stages * _SECONDS[step.type]
        if step.type == 'seeds':
            views = _count(cfg, 'seed_dataloader', 'test_dataloader') * _views(
                cfg.get('tta_pipeline', []))
        else:
            views = _count(cfg, 'test_dataloader')
        return _START_SECONDS + views * self.view_seconds(step, cfg)

    def train_seconds(self, step: Step, cfg: Any) -> float:
        """How long the iterations of a training take.

        Args:
            step (Step): The training.
            cfg (Config): Its config, with iterations for epochs.
        """
        iterations = cfg['train_cfg']['max_iters']
        return self.rate * _TRAINING * _batch_pixels(cfg) * iterations

    def view_seconds(self, step: Step, cfg: Any) -> float:
        """How long one image takes at the first scale.

        Args:
            step (Step): The step that predicts it.
            cfg (Config): Its config.
        """
        return self.rate * _batch_pixels(cfg) / cfg['train_dataloader']['batch_size']


def _batch_pixels(cfg: Any) -> float:
    width, height = cfg['model']['data_preprocessor'].get('size') or cfg['crop_size']
    return width * height * cfg['train_dataloader']['batch_size']


def _count(cfg: Any, *loaders: str) -> int:
    """How many images a data loader has, by its list or its folder."""
    dataset = next(cfg[name] for name in loaders if cfg.get(name))['dataset']
    root = dataset.get('data_root') or ''
    if dataset.get('ann_file'):
        return len(read_lines(osp.join(root, dataset['ann_file'])))
    return len(sort_files(osp.join(root, dataset['data_prefix']['img_path']))[0])


def _views(pipeline: list) -> float:
    """How many images of the first scale test-time augmentation makes of one."""
    for transform in pipeline:
        if transform['type'] == 'TestTimeAug':
            area, flips = 1., 1
            for group in transform['transforms']:
                scales = [one['scale'] for one in group if one['type'] == 'PILRescale']
                area = sum(scale**2 for scale in scales) or area
                if any(one['type'] == 'RandomFlip' for one in group):
                    flips = len(group)
            return area * flips
    return 1.
