# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Runs of small recipes, in processes of their own, with faults put into them."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from run_content import run_differences

from mmwsss.recipes import Recipe, RecipeRunner
from mmwsss.utils import project_path

HERE = Path(__file__).parent
ROOT = Path(project_path('tools')).parent
TIMEOUT = 600

RECIPE = """
_base_ = {base!r}
data_root = {data_root!r}
keep = {keep!r}
quick = {{
    f'{{name}}_dataloader.{{key}}': value
    for name in ('train', 'val', 'test')
    for key, value in dict(num_workers=0, persistent_workers=False).items()
}}
quick = {{
    **quick, 'train_dataloader.batch_size': 2, 'train_cfg.val_interval': 100,
    'default_hooks.checkpoint.interval': 2, 'default_hooks.logger.interval': 2}}
steps = [step for step in _base_.steps if step['name'] in keep]
for step in steps:
    options = {{}}
    if step['type'] == 'train':
        options = {{**quick, **{changes!r}.get(
            step['name'], {{'train_cfg.max_iters': 5}})}}
    elif step['type'] == 'test':
        options = {{key: value for key, value in quick.items()
                    if key.startswith('test_dataloader')}}
    elif step['type'] == 'seeds':
        options = {{'seed_dataloader.num_workers': 0,
                    'seed_dataloader.persistent_workers': False}}
    step['cfg_options'] = {{**step.get('cfg_options', {{}}), **options}}
    if step['type'] in ('refine', 'score_seeds', 'score_masks'):
        step['jobs'] = 0
    if step['name'] == 'pseudo_labels' and 'bg_thr' in step:
        step['bg_thr'] = 0.3
del step, options
"""


def stages(count: int, **others) -> dict:
    return {**{f'custom_hooks.0.stages.{i}.iters': 3 for i in range(count)},
            **others}


SEEDS = ('train_localizer', 'seeds_shrink')
SMALL_RECIPES = dict(
    esol=('esol/esol_demo_pipeline',
          (*SEEDS, 'score_shrink', 'pseudo_labels', 'train_segmentor', 'test'),
          dict(train_localizer=stages(3))),
    seeds=('esol/esol_demo_pipeline', SEEDS,
           dict(train_localizer=stages(3))),
    fsae=('fsae/fsae_esol_demo_pipeline', (*SEEDS, 'score_shrink', 'pseudo_labels'),
          dict(train_localizer=stages(3, **{'model.start_iter': 1}))),
    single_stage=('single_stage/single_stage_demo_pipeline',
                  ('train_localizer', 'pseudo_labels', 'score_pseudo_labels'),
                  dict(train_localizer=stages(2))),
)
"""Name -> recipe, steps of it, and changes to their configs."""


@dataclass
class Fault:
    """What befalls a run; see ``injected/sitecustomize.py``.

    A fault with ``delay`` kills so many seconds after its moment, from outside.
    """

    at: str = ''
    number: int = 1
    kill: str = ''
    delay: float | None = None
    options: dict = field(default_factory=dict)

    def __str__(self) -> str:
        after = '' if self.delay is None else f'{self.delay:.2f} s after '
        return f'{self.kill} {after}{self.at} #{self.number}'


@dataclass
class Ended:
    """How a run ended."""

    code: int
    said: str
    reached: bool

    @property
    def errors(self) -> list[str]:
        return [line for line in self.said.splitlines()
                if re.match('(error|Error)', line)]


@dataclass
class Moment:
    """A change of a file, or an import, in a run."""

    seconds: float
    process: int
    name: str
    number: int


class SmallRun:
    """A small recipe in a work folder.

    Args:
        name (str): One of ``SMALL_RECIPES``.
        data_root (Path): Generated scenes.
        folder (Path): For the recipe, its work folder and notes.
        processes (int): Of each step that can have several.
    """

    def __init__(self, name: str, data_root: Path, folder: Path,
                 processes: int = 1) -> None:
        base, keep, changes = SMALL_RECIPES[name]
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.processes = processes
        self.recipe = str(folder / 'small_pipeline.py')
        Path(self.recipe).write_text(RECIPE.format(
            base=project_path('configs', *f'{base}.py'.split('/')),
            data_root=str(data_root), keep=keep, changes=changes))
        self.work_dir = str(folder / 'work')

    def run(self, fault: Fault | None = None, log: str = '',
            prefix: tuple[str, ...] = ()) -> Ended:
        """Run the recipe to its end, or to what the fault makes of it."""
        fault = fault or Fault()
        run, reached = uuid.uuid4().hex, self.folder / 'reached'
        reached.unlink(missing_ok=True)
        spec = dict(
            fault.options, run=run, folder=self.work_dir, starter=os.getpid(),
            log=log, at=fault.at, number=fault.number, reached=str(reached),
            kill='' if fault.delay is not None else fault.kill)
        command = [
            *prefix, sys.executable, project_path('tools', 'pipeline.py'),
            self.recipe, '--work-dir', self.work_dir, '--gpus', str(self.processes)]
        output = self.folder / 'output'
        with open(output, 'w') as sink:
            first = subprocess.Popen(
                command, stdout=sink, stderr=subprocess.STDOUT,
                env=environment(MMWSSS_FAULT=json.dumps(spec)))
            if fault.delay is not None:
                while not reached.exists() and first.poll() is None:
                    time.sleep(0.005)
                time.sleep(fault.delay)
                if first.poll() is None:
                    kill(fault.kill, run, first.pid)
                else:
                    reached.unlink(missing_ok=True)
            first.wait(TIMEOUT)
        return Ended(first.returncode, output.read_text(errors='replace'),
                     reached.exists())

    def moments(self) -> list[Moment]:
        """Run the recipe unbroken, and tell its moments."""
        log = self.folder / 'moments'
        ended = self.run(log=str(log))
        assert ended.code == 0, ended.said
        found, numbers, start = [], {}, None
        for line in log.read_text().splitlines():
            when, process, name = line.split(' ', 2)
            start = start or int(when)
            number = numbers[process, name] = numbers.get((process, name), 0) + 1
            found.append(
                Moment((int(when) - start) / 1e9, int(process), name, number))
        return found

    def nothing_to_do(self) -> bool:
        """Whether another run would find nothing to do."""
        runner = RecipeRunner(
            Recipe(self.recipe, self.work_dir),
            'none' if self.processes == 1 else 'pytorch', self.processes)
        return {plan.action for _, plan in runner.preview()} == {'skip'}

    def assert_equals(self, other: 'SmallRun') -> None:
        """All files are the same, nothing is left to do, and nobody is left."""
        found = run_differences(self.work_dir, other.work_dir)
        assert not found, found
        assert self.nothing_to_do()
        assert not [p for p in psutil.process_iter(['cmdline'])
                    if self.work_dir in ' '.join(p.info['cmdline'] or ())]


def environment(**others: str) -> dict[str, str]:
    """A user's, in which Python loads the faults, and the checkout's mmwsss."""
    paths = [str(HERE / 'injected'), str(ROOT), os.environ.get('PYTHONPATH', '')]
    return dict(os.environ, PYTHONPATH=os.pathsep.join(paths), OMP_NUM_THREADS='1',
                **others)


def kill(whom: str, run: str, first: int) -> None:
    """End processes of a run: all, the first, or another than the first."""
    found = []
    for process in psutil.process_iter():
        try:
            if run in process.environ().get('MMWSSS_FAULT', ''):
                found.append(process.pid)
        except psutil.Error:
            continue
    others = sorted(set(found) - {first})
    victims = dict(tree=[first, *others], parent=[first],
                   child=others[-1:] or [first])[whom]
    for victim in victims:
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:
            continue


def kind_of(name: str) -> str:
    """The name of a moment without numbers and steps: what in the code makes it."""
    steps = {step for _, kept, _ in SMALL_RECIPES.values() for step in kept}
    name = re.sub(rf'\b({"|".join(steps)})\b', 'STEP', name)
    return re.sub(r'\d+', '#', re.sub(r'stage_\w+', 'stage_*', name))


def choose_kills(moments: list[Moment], count: int, seed: int) -> list[Fault]:
    """Kills in the order of their moments: five of six at named moments, each of
    another kind while there are some, and the others at random times.

    Args:
        moments (list[Moment]): Those of an unbroken run.
        count (int): How many kills.
        seed (int): Of what is chosen.
    """
    rng = random.Random(seed)
    kinds: dict[str, list[int]] = {}
    for index, moment in enumerate(moments):
        kinds.setdefault(kind_of(moment.name), []).append(index)
    named = list(kinds)
    rng.shuffle(named)
    whom = ['tree', 'child', 'parent']
    chosen = []
    for kind in named[:count * 5 // 6]:
        chosen.append((rng.choice(kinds[kind]), None))
    while len(chosen) < count:
        when = rng.uniform(0, moments[-1].seconds)
        index = max(i for i, moment in enumerate(moments) if moment.seconds <= when)
        chosen.append((index, when - moments[index].seconds))
    chosen.sort(key=lambda pair: (pair[0], pair[1] or 0.))
    return [
        Fault(moments[index].name, moments[index].number, whom[i % 3], delay)
        for i, (index, delay) in enumerate(chosen)
    ]
