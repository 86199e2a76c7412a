# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The table of what a step can be: which tool it calls, and how.

A type knows the command line of its tool and nothing of models or data.
"""

import math
import os.path as osp
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mmwsss.utils.arguments import REFINERS

METRICS_FILE = 'metrics.json'

# What the value of a key must be, in words for errors.
TEXT = 'a string'
FLAG = 'True or False'
NUMBER = 'a finite number, or a reference to one'
THRESHOLD = 'a number of at least 0, or a file or a reference that holds one'
WORKERS = 'a whole number of at least 0'
REFINER = f'one of {", ".join(REFINERS)}'
LOADER = 'one of val, test, seed'
IGNORED = 'one of background, ignore'
COUNT = 'a whole number of at least 1'
WORDS = 'a list of strings and numbers, at least one'
STRINGS = 'a list of strings'
PATHS = 'a string or a list of strings'
DICT = 'a dict'
DICTS = 'a list of dicts'


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_reference(value: Any) -> bool:
    """Whether it stands for what is known only later: ``'{step:metric}'``."""
    return isinstance(value, str) and '{' in value


def _as_number(value: Any) -> float:
    """A number, also in a string; not a number for anything else."""
    try:
        return float(value) if isinstance(value, str) or _is_number(value) else math.nan
    except (ValueError, OverflowError):
        return math.nan


def _is_list(value: Any, *kinds: type) -> bool:
    return isinstance(value, (list, tuple)) and all(
        isinstance(item, kinds) and not isinstance(item, bool) for item in value)


FITS: dict[str, Callable[[Any], bool]] = {
    TEXT: lambda value: isinstance(value, str) and value != '',
    FLAG: lambda value: isinstance(value, bool),
    NUMBER: lambda value: _is_reference(value) or math.isfinite(_as_number(value)),
    THRESHOLD: lambda value: _is_reference(value) or (
        isinstance(value, str) and value.endswith('.json')
        or 0 <= _as_number(value) < math.inf),
    WORKERS: lambda value: _is_reference(value) or (
        isinstance(value, int) and _is_number(value) and value >= 0),
    REFINER: lambda value: _is_reference(value) or value in REFINERS,
    LOADER: lambda value: _is_reference(value) or value in ('val', 'test', 'seed'),
    IGNORED: lambda value: _is_reference(value) or value in ('background', 'ignore'),
    COUNT: lambda value: isinstance(value, int) and _is_number(value) and value > 0,
    WORDS: lambda value: _is_list(value, str, int, float) and bool(value),
    STRINGS: lambda value: _is_list(value, str),
    PATHS: lambda value: isinstance(value, str) or _is_list(value, str),
    DICT: lambda value: isinstance(value, dict),
    DICTS: lambda value: _is_list(value, dict),
}
"""Whether a value is what the words say."""

_COMMON = dict(show=STRINGS, args=WORDS, inputs=PATHS, outputs=STRINGS,
               resume=FLAG)
_CONFIG = dict(config=TEXT, cfg_options=DICT, data_root=TEXT, gpus=COUNT)
_LABEL_RULE = dict(refiner=REFINER, bg_thr=THRESHOLD, alpha=NUMBER, conf_fg=NUMBER,
                   conf_bg=NUMBER)


@dataclass
class StepCall:
    """What the arguments of a tool are made of.

    Args:
        spec (dict): The step with all references replaced.
        folder (str): The output folder of the step.
        work_dir (str): The folder of the whole recipe.
        config (str): The step's full config, written as one file. Defaults to
            ''.
        resume (bool): Whether the folder holds an unfinished run of the very
            same step.
        ignore_checks (bool): Whether a check that fails lets the run go on.
            Defaults to False.
    """

    spec: dict[str, Any]
    folder: str
    work_dir: str
    config: str = ''
    resume: bool = False
    ignore_checks: bool = False

    def options(self, *keys: str) -> list[str]:
        """``--key value`` for those keys that the step has."""
        flags = []
        for key in keys:
            value = self.spec.get(key)
            if value is None or value is False:
                continue
            flags.append('--' + key.replace('_', '-'))
            if value is not True:
                flags.append(str(value))
        return flags

    @property
    def metrics(self) -> str:
        return osp.join(self.folder, METRICS_FILE)


@dataclass(frozen=True)
class StepType:
    """How steps of one type run.

    Args:
        tool (str): Script below ``tools/``; '' if the step names its command.
        arguments (Callable): From a :class:`StepCall` to the command's
            arguments.
        required (dict): Keys that the step must have, and what they are.
        optional (dict): Keys that it may have.
        reads (tuple[str]): Those of its keys that name files or folders.
        outputs (tuple[str]): What must stay unchanged for the step to count as
            done, relative to its folder; files that other steps read count
            anyway.
        resumes (bool): Whether the tool goes on with what a killed run left,
            unless the step says otherwise by ``resume``. A step that does not
            starts again in an empty folder.
        distributed (bool): Whether the tool runs in several processes.
        alters_with_gpus (bool): Whether the number of processes changes its
            outcome.
    """

    tool: str
    arguments: Callable[[StepCall], list[str]]
    required: dict[str, str]
    optional: dict[str, str] = field(default_factory=dict)
    reads: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    resumes: bool = False
    distributed: bool = False
    alters_with_gpus: bool = False

    @property
    def keys(self) -> dict[str, str]:
        """All keys that a step may have, and what they are."""
        config = _CONFIG if 'config' in self.required else {}
        return {**_COMMON, **config, **self.required, **self.optional}


def _train(call: StepCall) -> list[str]:
    resume = ['--resume'] if call.resume else []
    return [call.config, '--work-dir', call.folder, *call.options('amp'), *resume]


def _seeds(call: StepCall) -> list[str]:
    out = '--labels-out' if 'refiner' in call.spec else '--out'
    return [call.config, call.spec['checkpoint'], out, call.folder,
            *call.options(*_LABEL_RULE, 'jobs')]


def _refine(call: StepCall) -> list[str]:
    return [call.config, '--seeds', call.spec['seeds'], '--out', call.folder,
            *call.options(*_LABEL_RULE, 'jobs')]


def _walk(call: StepCall) -> list[str]:
    # Seeds after the walk, which score_seeds reads, lie beside the labels.
    seeds = ['--seeds-out', osp.join(call.folder, 'seeds')
             ] if call.spec.get('keep_seeds') else []
    return [call.config, call.spec['checkpoint'], '--seeds', call.spec['seeds'],
            '--out', call.folder, *seeds, *call.options('bg_thr')]


def _score_seeds(call: StepCall) -> list[str]:
    return [call.config, '--seeds', call.spec['seeds'], '--out', call.metrics,
            '--details', osp.join(call.folder, 'details.json'),
            *call.options('bg_thr', 'dataloader', 'jobs')]


def _score_masks(call: StepCall) -> list[str]:
    return [call.config, '--masks', call.spec['masks'], '--out', call.metrics,
            *call.options('pred_ignore', 'dataloader', 'jobs')]


def _choose(call: StepCall) -> list[str]:
    stages = [f'{name}={folder}' for name, folder in call.spec['stages'].items()]
    force = ['--force'] if call.ignore_checks else []
    return [call.config, '--stages', *stages, '--refiners', *call.spec['refiners'],
            '--out', call.folder, *force]


def _check(call: StepCall) -> list[str]:
    force = ['--force'] if call.ignore_checks else []
    return [call.config, '--labels', call.spec['labels'], '--out', call.folder,
            *call.options('seeds', 'bg_thr', 'training', 'of'), *force]


def _test(call: StepCall) -> list[str]:
    masks = ['--masks', osp.join(call.folder, 'masks')
             ] if call.spec.get('masks') else []
    return [call.config, call.spec['checkpoint'], '--work-dir', call.folder, '--out',
            call.metrics, *masks, *call.options('tta')]


def _report(call: StepCall) -> list[str]:
    spec = osp.join(call.folder, 'spec.json')
    return [call.config, spec, '--out', call.work_dir]


def _command(call: StepCall) -> list[str]:
    program, *arguments = map(str, call.spec['command'])
    return [sys.executable if program == 'python' else program, *arguments]


STEP_TYPES = {
    'train': StepType(
        'train.py', _train, dict(config=TEXT), dict(amp=FLAG),
        resumes=True, distributed=True, alters_with_gpus=True),
    'seeds': StepType(
        'generate_seeds.py', _seeds, dict(config=TEXT, checkpoint=TEXT),
        dict(_LABEL_RULE, jobs=WORKERS),
        reads=('checkpoint', ), outputs=('.', ), resumes=True, distributed=True),
    'refine': StepType(
        'refine_seeds.py', _refine, dict(config=TEXT, seeds=TEXT, refiner=REFINER),
        dict(_LABEL_RULE, jobs=WORKERS),
        reads=('seeds', ), outputs=('.', ), resumes=True),
    'walk': StepType(
        'walk_seeds.py', _walk, dict(config=TEXT, checkpoint=TEXT, seeds=TEXT),
        dict(bg_thr=THRESHOLD, keep_seeds=FLAG),
        reads=('checkpoint', 'seeds'), outputs=('.', ), resumes=True,
        distributed=True),
    'score_seeds': StepType(
        'evaluate_seeds.py', _score_seeds, dict(config=TEXT, seeds=TEXT),
        dict(bg_thr=THRESHOLD, dataloader=LOADER, jobs=WORKERS),
        reads=('seeds', ), outputs=(METRICS_FILE, )),
    'score_masks': StepType(
        'evaluate_seeds.py', _score_masks, dict(config=TEXT, masks=TEXT),
        dict(pred_ignore=IGNORED, dataloader=LOADER, jobs=WORKERS),
        reads=('masks', ), outputs=(METRICS_FILE, )),
    'choose': StepType(
        'choose_labels.py', _choose, dict(config=TEXT, stages=DICT, refiners=STRINGS),
        outputs=(METRICS_FILE, )),
    'check': StepType(
        'check_labels.py', _check, dict(config=TEXT, labels=TEXT),
        dict(seeds=TEXT, bg_thr=THRESHOLD, training=TEXT, of=TEXT),
        reads=('labels', 'seeds'), outputs=(METRICS_FILE, )),
    'test': StepType(
        'test.py', _test, dict(config=TEXT, checkpoint=TEXT),
        dict(tta=FLAG, masks=FLAG),
        reads=('checkpoint', ), outputs=(METRICS_FILE, ), distributed=True),
    'report': StepType(
        'analysis_tools/make_report.py', _report, dict(config=TEXT, sections=DICTS),
        dict(curves=DICTS, thresholds=DICT, headline=DICTS, checks=STRINGS),
        outputs=('../report.html', '../contact_sheet.png')),
    'command': StepType('', _command, dict(command=WORDS), outputs=('.', )),
}
"""Name -> how it runs. ``command`` steps run any program."""
