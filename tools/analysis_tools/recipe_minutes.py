# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Minutes and memory of mmwsss run, by method and number of photos, without a run.

    python tools/analysis_tools/recipe_minutes.py                 # all methods, on cpu
    python tools/analysis_tools/recipe_minutes.py cam esol --images 100 5000

Measured, on generated photos of 384 x 288 pixels: an iteration of each stage of each
training, from loading its batch to the optimizer's step; the prediction of a photo;
the largest memory of the training's process. Computed: how many there are, by the
recipe's epochs, lists and views; refining, choosing and the rest by constants of
mmwsss/recipes/forecast.py. Time is processor time of one thread, by default, so that
other programs disturb little; no photo has a mask. Prints a table.
"""

from __future__ import annotations

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import argparse
import os
import os.path as osp
import resource
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from copy import deepcopy
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from mmwsss.commands.run import METHODS, find_recipe
from mmwsss.recipes import Recipe, RecipeRunner
from mmwsss.recipes.forecast import Forecast
from mmwsss.utils import write_lines
from mmwsss.utils.arguments import ToolParser
from mmwsss.utils.entry_point import run_tool
from mmwsss.utils.epochs import stages_of

if TYPE_CHECKING:
    from mmengine.config import Config

    from mmwsss.recipes.recipe import Step

SIZE = (288, 384)
CLASSES = ('circle', 'stripe', 'noise', 'square')
ITERATIONS = 5
"""Of each stage; all but the first and the last count."""


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = ToolParser(__doc__)
    parser.add_argument('methods', nargs='*', metavar='METHOD',
                        help=f'some of {", ".join(METHODS)} (default: all)')
    parser.add_argument('--images', '--photos', type=int, nargs='+',
                        default=[200, 1000, 5000],
                        help='numbers of photos (default: 200 1000 5000)')
    parser.add_argument('--preset', choices=['cpu', 'gpu'], default='cpu')
    parser.add_argument('--clock', choices=['cpu', 'wall'], default='cpu',
                        help='processor time or wall time (default: cpu)')
    parser.add_argument('--threads', type=int, default=1, help='default: 1')
    args = parser.parse_args()
    unknown = sorted(set(args.methods) - set(METHODS))
    if unknown:
        parser.error(f'no method {", ".join(unknown)}; there are {", ".join(METHODS)}')
    if min(args.images) < 1 or args.threads < 1:
        parser.error('--images and --threads must be at least 1')
    args.methods = args.methods or list(METHODS)
    return args


def make_images(root: str, count: int) -> None:
    """Photos with tags and masks, as a folder of one's own holds them."""
    import cv2
    import numpy as np

    from mmwsss.datasets.image_io import voc_palette, write_mask
    rng = np.random.default_rng(0)
    rows = ['photo,tags']
    for number in range(count):
        coarse = rng.integers(0, 256, (9, 12, 3)).astype(np.uint8)
        image = cv2.resize(coarse, SIZE[::-1], interpolation=cv2.INTER_CUBIC)
        labels = 1 + (number + np.arange(2)) % len(CLASSES)
        mask = cv2.resize(rng.choice([0, *labels], (6, 8)).astype(np.uint8),
                          SIZE[::-1], interpolation=cv2.INTER_NEAREST)
        os.makedirs(osp.join(root, 'photos'), exist_ok=True)
        cv2.imwrite(osp.join(root, 'photos', f'{number}.png'), image)
        write_mask(osp.join(root, 'masks', f'{number}.png'), mask,
                   voc_palette(len(CLASSES) + 1))
        rows.append(','.join([f'{number}.png', *(CLASSES[i - 1] for i in labels)]))
    write_lines(osp.join(root, 'tags.csv'), rows)
    write_lines(osp.join(root, 'classes.txt'), CLASSES)


def measure(cfg: Config, clock: str, threads: int) -> dict[str, Any]:
    """Train a few iterations, and predict an image.

    Returns:
        dict: ``stages``, the seconds of an iteration of each stage (of one, named
        '', where there are none); ``image``, of the prediction of an image at scale
        1; ``bytes``, the largest resident memory of this process.
    """
    import numpy as np
    import torch
    from mmengine.hooks import Hook

    from mmwsss.engine import build_runner
    now = dict(cpu=time.process_time, wall=time.perf_counter)[clock]
    torch.set_num_threads(threads)

    class Ticks(Hook):
        priority = 'VERY_LOW'

        def __init__(self) -> None:
            self.times: list[float] = []

        def after_train_iter(self, runner, *args, **kwargs) -> None:
            self.times.append(now())

    runner = build_runner(cfg)
    ticks = Ticks()
    runner.register_hook(ticks)
    runner.train()
    names = [stage['name'] for stage in stages_of(cfg)] or ['']
    steps = np.diff(ticks.times)
    seconds = {name: float(np.median(steps[i * ITERATIONS:][:ITERATIONS - 2]))
               for i, name in enumerate(names)}
    model = runner.model.eval()
    image = torch.zeros(1, 3, *SIZE)
    with torch.no_grad():
        model(image, mode='tensor')
        start = now()
        model(image, mode='tensor')
    return dict(stages=seconds, image=now() - start,
                bytes=1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def short(cfg: Config, masks: str, work_dir: str) -> Config:
    """A training of a few iterations, without weights to load or validations."""
    from benchmarks.training import without_weights
    cfg = deepcopy(cfg)
    cfg.model = without_weights(cfg)
    if cfg.model.get('loss_fsae'):
        # Random weights are sure of nothing, which would spare the second pass.
        cfg.model.loss_fsae.threshold = 1e-3
    cfg.update(work_dir=work_dir, launcher='none', val_cfg=None, val_dataloader=None,
               val_evaluator=None, test_cfg=None, test_dataloader=None,
               test_evaluator=None, load_from=None, log_level='ERROR')
    cfg.train_cfg = dict(type='IterBasedTrainLoop', max_iters=ITERATIONS)
    for stage in stages_of(cfg):
        for key in ('epochs', 'min_iters', 'cap_iters'):
            stage.pop(key, None)
        stage['iters'] = ITERATIONS
    loader = cfg.train_dataloader
    loader.update(num_workers=0, persistent_workers=False)
    prefix = loader.dataset.get('data_prefix') or {}
    if 'seg_map_path' in prefix:
        prefix['seg_map_path'] = masks
    return cfg


def with_images(cfg: Config, ids: str) -> Config:
    """The config with a list of ids in each loader, which are only counted."""
    cfg = deepcopy(cfg)
    for name in ('train_dataloader', 'seed_dataloader', 'test_dataloader'):
        if cfg.get(name):
            cfg[name].dataset.ann_file = ids
    return cfg


class Measured(Forecast):
    """A forecast by what was measured of each training."""

    def __init__(self, recipe: Recipe, configs: dict[str, Config],
                 costs: dict[str, dict], ids: str) -> None:
        super().__init__(recipe, lambda step: with_images(configs[step.name], ids))
        self.costs = costs

    def minutes(self) -> float:
        """Of the whole recipe."""
        return sum(map(self.seconds, self.recipe.steps)) / 60

    def train_seconds(self, step: Step, cfg: Config) -> float:
        """By what its stages cost."""
        costs = self.costs[step.spec['config']]['stages']
        parts = [*stages_of(cfg)] or [dict(name='', iters=cfg.train_cfg.max_iters)]
        return sum(costs[part['name']] * part['iters'] for part in parts)

    def view_seconds(self, step: Step, cfg: Config) -> float:
        """By what the image cost that was predicted."""
        return self.costs[step.spec['config']]['image']


def measure_recipe(method: str, args: argparse.Namespace, root: str,
                   known: dict[str, dict]) -> tuple[list[float], float]:
    """Minutes for each number of images, and the bytes of the largest training."""
    recipe = Recipe(find_recipe(method, args.preset), osp.join(root, method), dict(
        data_root=root))
    runner = RecipeRunner(recipe)
    configs = {step.name: runner.job(step).config for step in recipe.steps}
    costs = {}
    for step in recipe.steps:
        if step.type != 'train':
            continue
        path = recipe.config_path(step)
        if path not in known:
            cfg = short(configs[step.name], osp.join(root, 'masks'),
                        osp.join(root, 'work', f'{len(known)}'))
            # A process of its own, or the largest memory of all would be told.
            with ProcessPoolExecutor(1, get_context('fork')) as pool:
                known[path] = pool.submit(measure, cfg, args.clock,
                                          args.threads).result()
        costs[step.spec['config']] = known[path]
    minutes = []
    for count in args.images:
        ids = osp.join(root, f'{count}.txt')
        write_lines(ids, map(str, range(count)))
        minutes.append(Measured(recipe, configs, costs, ids).minutes())
    return minutes, max(cost['bytes'] for cost in costs.values())


def main(args: argparse.Namespace) -> None:
    """Measure and print."""
    import mmwsss.preload  # noqa: F401  Once, before processes are forked.
    print(f'{args.preset}, {args.threads} threads, {args.clock} time')
    heads = [f'minutes, {count} photos' for count in args.images]
    print(f'| method | {" | ".join(heads)} | memory, GB | an iteration, s |')
    print('| --- ' * (len(heads) + 3) + '|')
    known: dict[str, dict] = {}
    with tempfile.TemporaryDirectory() as root:
        make_images(root, 16)
        for method in args.methods:
            before = list(known)
            minutes, memory = measure_recipe(method, args, root, known)
            told = [f'{osp.basename(path)[:-3]} '
                    + ', '.join(f'{name} {seconds:.1f}'.strip()
                                for name, seconds in cost['stages'].items())
                    for path, cost in known.items() if path not in before]
            cells = [method, *(f'{one:.0f}' for one in minutes), f'{memory / 1e9:.1f}',
                     '; '.join(told)]
            print('| ' + ' | '.join(cells) + ' |', flush=True)


if __name__ == '__main__':
    run_tool(parse_args, main)
