# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The table of what a step can be: which tool it calls, and how.

A type knows the command line of its tool and nothing of models or data.
"""

import os.path as osp
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

METRICS_FILE = 'metrics.json'
_LABEL_RULE = ('refiner', 'threshold', 'alpha', 'conf_fg', 'conf_bg')


@dataclass
class StepCall:
    """What the arguments of a tool are made of.

    Args:
        spec (dict): The step with all references replaced.
        folder (str): The output folder of the step.
        work_dir (str): The folder of the whole pipeline.
        config (str): The step's full config, written as one file. Defaults to
            ''.
        resume (bool): Whether the folder holds an unfinished run of the very
            same step.
    """

    spec: dict[str, Any]
    folder: str
    work_dir: str
    config: str = ''
    resume: bool = False

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
        required (tuple[str]): Keys that the step must have.
        optional (tuple[str]): Keys that it may have.
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
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    resumes: bool = False
    distributed: bool = False
    alters_with_gpus: bool = False


def _train(call: StepCall) -> list[str]:
    resume = ['--resume'] if call.resume else []
    return [call.config, '--work-dir', call.folder, *call.options('amp'), *resume]


def _seeds(call: StepCall) -> list[str]:
    out = '--labels-out' if 'refiner' in call.spec else '--out'
    return [
        call.config, call.spec['checkpoint'], out, call.folder,
        *call.options(*_LABEL_RULE, 'jobs')
    ]


def _refine(call: StepCall) -> list[str]:
    return [
        call.config, '--seeds', call.spec['seeds'], '--out', call.folder,
        *call.options(*_LABEL_RULE, 'jobs')
    ]


def _walk(call: StepCall) -> list[str]:
    # Seeds after the walk, which score_seeds reads, lie beside the labels.
    seeds = ['--seeds-out', osp.join(call.folder, 'seeds')
             ] if call.spec.get('keep_seeds') else []
    return [
        call.config, call.spec['checkpoint'], '--seeds', call.spec['seeds'],
        '--out', call.folder, *seeds, *call.options('threshold')
    ]


def _score_seeds(call: StepCall) -> list[str]:
    return [
        call.config, '--seeds', call.spec['seeds'], '--out', call.metrics,
        '--details', osp.join(call.folder, 'details.json'),
        *call.options('threshold', 'dataloader', 'jobs')
    ]


def _score_masks(call: StepCall) -> list[str]:
    return [
        call.config, '--masks', call.spec['masks'], '--out', call.metrics,
        *call.options('pred_ignore', 'dataloader', 'jobs')
    ]


def _test(call: StepCall) -> list[str]:
    masks = ['--masks', osp.join(call.folder, 'masks')
             ] if call.spec.get('masks') else []
    return [
        call.config, call.spec['checkpoint'], '--work-dir', call.folder, '--out',
        call.metrics, *masks, *call.options('tta')
    ]


def _report(call: StepCall) -> list[str]:
    spec = osp.join(call.folder, 'spec.json')
    return [call.config, spec, '--out', call.work_dir]


def _command(call: StepCall) -> list[str]:
    program, *arguments = map(str, call.spec['command'])
    return [sys.executable if program == 'python' else program, *arguments]


STEP_TYPES = {
    'train':
    StepType(
        'train.py',
        _train,
        required=('config', ),
        optional=('amp', ),
        resumes=True,
        distributed=True,
        alters_with_gpus=True),
    'seeds':
    StepType(
        'generate_seeds.py',
        _seeds,
        required=('config', 'checkpoint'),
        optional=(*_LABEL_RULE, 'jobs'),
        reads=('checkpoint', ),
        outputs=('.', ),
        resumes=True,
        distributed=True),
    'refine':
    StepType(
        'refine_seeds.py',
        _refine,
        required=('config', 'seeds', 'refiner'),
        optional=(*_LABEL_RULE, 'jobs'),
        reads=('seeds', ),
        outputs=('.', ),
        resumes=True),
    'walk':
    StepType(
        'walk_seeds.py',
        _walk,
        required=('config', 'checkpoint', 'seeds'),
        optional=('threshold', 'keep_seeds'),
        reads=('checkpoint', 'seeds'),
        outputs=('.', ),
        resumes=True,
        distributed=True),
    'score_seeds':
    StepType(
        'evaluate_seeds.py',
        _score_seeds,
        required=('config', 'seeds'),
        optional=('threshold', 'dataloader', 'jobs'),
        reads=('seeds', ),
        outputs=(METRICS_FILE, )),
    'score_masks':
    StepType(
        'evaluate_seeds.py',
        _score_masks,
        required=('config', 'masks'),
        optional=('pred_ignore', 'dataloader', 'jobs'),
        reads=('masks', ),
        outputs=(METRICS_FILE, )),
    'test':
    StepType(
        'test.py',
        _test,
        required=('config', 'checkpoint'),
        optional=('tta', 'masks'),
        reads=('checkpoint', ),
        outputs=(METRICS_FILE, ),
        distributed=True),
    'report':
    StepType(
        'analysis_tools/make_report.py',
        _report,
        required=('config', 'sections'),
        optional=('curves', 'thresholds', 'headline'),
        outputs=('../report.html', '../contact_sheet.png')),
    'command':
    StepType('', _command, required=('command', ), outputs=('.', )),
}
"""Name -> how it runs. ``command`` steps run any program."""
