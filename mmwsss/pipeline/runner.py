# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Runs the steps of a recipe, each only when something it reads changed."""

import json
import os
import os.path as osp
import shlex
import shutil
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mmwsss.utils import (
    atomic_write,
    change_config,
    load_config,
    project_path,
    read_json,
    write_json,
)
from mmwsss.version import __version__

from .config_data import data_paths
from .digest import MISSING, DigestCache, digest_value
from .launch import launch
from .process import (
    ProgressLine,
    StepProcesses,
    folder_lock,
    format_seconds,
    kill_leftovers,
    stop_on_signals,
)
from .recipe import REFERENCE, Recipe, Step, iter_strings, to_plain
from .step_types import StepCall
from .summary import key_numbers, read_metrics, write_summary

if TYPE_CHECKING:
    from mmengine.config import Config

STATE_FILE = 'pipeline_state.json'
_STATE_VERSION = 1
_BEAT_SECONDS = 10


class StepFailed(RuntimeError):
    """A step's tool ended with an error."""


@dataclass
class Plan:
    """What is to be done with a step, and why.

    Args:
        action (str): ``'skip'``, ``'run'`` or ``'resume'``.
        reason (str): In words.
        fingerprint (dict): Everything the step's outcome depends on.
    """

    action: str
    reason: str
    fingerprint: dict[str, Any] = field(default_factory=dict)


class Pipeline:
    """Runs a recipe in its work folder.

    A step is done if its last run ended well, and nothing that it depends on,
    and none of its outputs, changed since. What it depends on: its settings,
    its full config, the content of each file and folder that it reads (outputs
    of earlier steps; lists, labels and images of its data), the version of
    mmwsss. Dates do not count.

    A step that was killed goes on if all of this is still the same. Otherwise
    what it left is moved to ``.previous/<step>`` (the last one is kept) and it
    starts anew, so that no output ever mixes two settings.

    Args:
        recipe (Recipe): The recipe.
        launcher (str): ``'none'``, ``'pytorch'``, ``'slurm'`` or ``'mpi'``.
        gpus (int): Processes of each distributed step; a step's own ``gpus``
            comes first.
        preload (bool): Whether steps in one process are forks of a process that
            has imported mmwsss and what it stands on, instead of importing all
            of it each; on Linux only.
    """

    def __init__(self,
                 recipe: Recipe,
                 launcher: str = 'none',
                 gpus: int = 1,
                 preload: bool = True) -> None:
        self.recipe = recipe
        self.launcher = launcher
        self.gpus = gpus
        self.preload = preload
        self.work_dir = recipe.work_dir
        self.digest = DigestCache(osp.join(self.work_dir, '.digests.json'))
        self.outcomes: dict[str, str] = {}
        self._state_path = osp.join(self.work_dir, STATE_FILE)
        self._state = self._load_state()

    # What is known of a step

    def record(self, step: Step) -> dict[str, Any]:
        """What the state file holds of a step."""
        return self._state['steps'].get(step.name, {})

    def plan(self, step: Step, force: bool = False) -> Plan:
        """Decide what to do with a step whose earlier steps are done.

        Args:
            step (Step): The step.
            force (bool): Run it even if nothing changed. Defaults to False.

        Raises:
            FileNotFoundError: If something it reads is not there.
        """
        fingerprint = self._fingerprint(step)
        record = self.record(step)
        if not record:
            return Plan('run', 'not run yet', fingerprint)
        if force:
            return Plan('run', 'asked for', fingerprint)
        changed = _first_difference(record['fingerprint'], fingerprint)
        if changed:
            return Plan('run', f'{changed} changed', fingerprint)
        folder = self.recipe.folder(step.name)
        if record['status'] == 'done':
            if not osp.isdir(folder):
                return Plan('run', 'its output is gone', fingerprint)
            for path, digest in record['outputs'].items():
                if self.digest(osp.join(self.work_dir, path)) != digest:
                    return Plan('run', f'its output {path} changed', fingerprint)
            return Plan('skip', 'unchanged', fingerprint)
        resumes = step.spec.get('resume', step.kind.resumes)
        if resumes and osp.isdir(folder):
            return Plan('resume', f'was {record["status"]}', fingerprint)
        return Plan('run', f'was {record["status"]}', fingerprint)

    def lookup(self, name: str, metric: str) -> Any:
        """The value of a reference (see :class:`Recipe`)."""
        if name in self.recipe.variables:
            return self.recipe.variables[name]
        if name == 'tools':
            return project_path('tools')
        if not metric:
            return self.recipe.folder(name)
        metrics = self.record(self.recipe[name]).get('metrics', {})
        if metric not in metrics:
            raise ValueError(
                f'{{{name}:{metric}}}: step {name} measured no {metric!r}; it has '
                f'{", ".join(metrics) or "measured nothing yet"}')
        return metrics[metric]

    def resolve(self, value: Any) -> Any:
        """``value`` with all references replaced.

        ``{step}/last_checkpoint`` becomes the checkpoint that mmengine names in
        that file.
        """
        return _follow(self.recipe.substitute(value, self.lookup))

    def config(self, step: Step, symbolic: bool = False) -> 'Config | None':
        """The full config of a step.

        Args:
            step (Step): The step.
            symbolic (bool): Leave references to folders as they are, so that
                the result does not depend on where the pipeline works.
        """
        path = self.recipe.config_path(step)
        if path is None:
            return None
        cfg = load_config(path, import_custom_modules=False)
        lookup = self._symbolic_lookup if symbolic else self.lookup
        options = {**self.recipe.shared, **step.spec.get('cfg_options', {})}
        if 'data_root' in step.spec:
            options['data_root'] = step.spec['data_root']
        options = self.recipe.substitute(options, lookup)
        if not symbolic:
            options = _follow(options)
        elif (classes := self.config(step).get('classes')) != cfg.get('classes'):
            # A file of classes can only be read where it is.
            options['classes'] = classes
        change_config(cfg, options)
        return cfg

    def command(self, step: Step, resume: bool = False) -> list[str]:
        """The command line of a step.

        Raises:
            ValueError: If it needs a number that no step has measured yet.
        """
        call = StepCall(
            self.resolve(step.spec), self.recipe.folder(step.name), self.work_dir,
            self._config_file(step), resume)
        arguments = step.kind.arguments(call) + [
            str(argument) for argument in call.spec.get('args', ())
        ]
        if not step.kind.tool:
            return arguments
        tool = project_path('tools', *step.kind.tool.split('/'))
        if not step.kind.distributed:
            return [sys.executable, tool, *arguments]
        return launch(tool, arguments, self.launcher, self._processes(step),
                      f'{self.recipe.name}.{step.name}')

    def preview(self,
                names: list[str] | None = None,
                force: bool = False) -> list[tuple[Step, Plan]]:
        """What :meth:`run` would do, with the same arguments.

        A step behind one that is to run may be found unchanged after all; its
        action is ``'check'``.
        """
        plans: list[tuple[Step, Plan]] = []
        pending: set[str] = set()
        for step in self.recipe.steps:
            if names is not None and step.name not in names:
                continue
            waits = [name for name in self._reads_from(step) if name in pending]
            if waits and not force:
                action = 'check' if self.record(step) else 'run'
                plan = Plan(action, f'after {", ".join(waits)}')
            else:
                plan = Plan('run', 'asked for') if waits else self.plan(step, force)
            if plan.action != 'skip':
                pending.add(step.name)
            plans.append((step, plan))
        return plans

    # Doing it

    def run(self, names: list[str] | None = None, force: bool = False) -> None:
        """Run steps in the recipe's order; the others are taken as they are.

        Args:
            names (list[str], optional): Which steps. Defaults to None, all.
            force (bool): Run them even if nothing changed. Defaults to False.

        Raises:
            BlockingIOError: If another pipeline works in the same folder.
            StepFailed: If a tool fails; the steps before it stay done.
            Interrupted: If a signal stopped the pipeline; children are ended.
        """
        with folder_lock(self.work_dir), stop_on_signals():
            if ended := kill_leftovers(self.work_dir):
                print(f'Ended {ended} processes that a killed run had left.')
            self._state = self._load_state()
            steps = [
                step for step in self.recipe.steps
                if names is None or step.name in names
            ]
            try:
                with StepProcesses(self.work_dir, self.preload) as processes:
                    for number, step in enumerate(steps, 1):
                        heading = f'[{number}/{len(steps)}] {step.name}'
                        self._do(step, heading, force, processes)
            finally:
                self.digest.save()
                write_summary(self)

    def _do(self, step: Step, heading: str, force: bool,
            processes: StepProcesses) -> None:
        plan = self.plan(step, force)
        if plan.action == 'skip':
            self.outcomes[step.name] = 'unchanged'
            print(f'{heading}: unchanged{self._numbers(step)}')
            return
        print(f'{heading}: {plan.action} ({plan.reason})', flush=True)
        folder = self.recipe.folder(step.name)
        record = self.record(step)
        if plan.action == 'run':
            self._move_aside(step)
            record = dict(seconds=0.0)
        # Before the folder is made: an empty one must not pass for an old output.
        record.update(status='running', fingerprint=plan.fingerprint)
        self._save(step, record)
        os.makedirs(folder, exist_ok=True)
        _remove_unfinished(folder)
        self._write_inputs(step)
        command = self.command(step, resume=plan.action == 'resume')

        log = osp.join(self.work_dir, 'logs', f'{step.name}.log')
        _write_heading(log, command)
        before, started = record['seconds'], time.monotonic()
        progress = ProgressLine(step.name)
        beat = [started]

        def on_beat() -> None:
            now = time.monotonic()
            record['seconds'] = before + now - started
            if now - beat[0] > _BEAT_SECONDS:
                beat[0] = now
                self._save(step, record)

        status = 'interrupted'
        try:
            # With several processes, the command is the launcher's.
            is_script = bool(step.kind.tool) and (
                not step.kind.distributed or self.launcher == 'none')
            code = processes.run(command, log, progress.update, on_beat, is_script)
            status = 'running' if code == 0 else 'failed'
        finally:
            progress.close()
            record['status'] = self.outcomes[step.name] = status
            self._save(step, record)
        if code != 0:
            raise StepFailed(
                f'step {step.name} failed with status {code}:\n{_tail(log)}\n'
                f'The whole output is in {log}. When the cause is mended, the same '
                'command goes on from here.')
        self._finish(step, record)
        print(f'{heading}: done in {format_seconds(record["seconds"])}'
              f'{self._numbers(step)}', flush=True)

    def _finish(self, step: Step, record: dict) -> None:
        outputs = {}
        for path in self._outputs(step):
            digest = self.digest(path)
            if digest == MISSING:
                record['status'] = self.outcomes[step.name] = 'failed'
                self._save(step, record)
                raise StepFailed(f'step {step.name} ended without an error, but did '
                                 f'not write {path}')
            outputs[osp.relpath(path, self.work_dir)] = digest
        self.digest.save()
        record.update(
            status='done',
            outputs=outputs,
            metrics=read_metrics(self.recipe.folder(step.name)))
        self.outcomes[step.name] = 'done'
        self._save(step, record)

    def _outputs(self, step: Step) -> list[str]:
        """Files and folders that must stay, for the step to count as done."""
        folder = self.recipe.folder(step.name)
        paths = [osp.normpath(osp.join(folder, name)) for name in step.kind.outputs]
        paths += [osp.abspath(path)
                  for path in self.resolve(step.spec.get('outputs', []))]
        for other in self.recipe.steps:
            for text in self.recipe.references(other):
                match = REFERENCE.match(text)
                is_file = match and match.end() < len(text)
                if is_file and match.group(1) == step.name:
                    paths.append(osp.normpath(self.resolve(text)))
        return list(dict.fromkeys(paths))

    def _write_inputs(self, step: Step) -> None:
        """Write the files that the step's tool reads its settings from."""
        cfg = self.config(step)
        if cfg is not None:
            with atomic_write(self._config_file(step), 'w') as file:
                file.write(cfg.pretty_text)
        if step.type == 'report':
            spec = dict(self.resolve(step.spec), **self._report_facts(step))
            write_json(osp.join(self.recipe.folder(step.name), 'spec.json'), spec)

    def _report_facts(self, step: Step) -> dict[str, Any]:
        """What the report tells about the run, beside its pictures."""
        rows = []
        for other in self.recipe.steps:
            if other.name == step.name:
                break
            record = self.record(other)
            rows.append(
                dict(
                    name=other.name,
                    type=other.type,
                    seconds=record.get('seconds'),
                    numbers=key_numbers(other, record),
                    protocol=record.get('metrics', {}).get('protocol')))
        return dict(
            title=self.recipe.title, protocol=self.recipe.protocol, steps=rows)

    # Fingerprints

    def _fingerprint(self, step: Step) -> dict[str, Any]:
        settings = {
            key: value
            for key, value in step.spec.items()
            if key not in ('config', 'cfg_options', 'data_root', 'show', 'jobs',
                           'gpus', 'resume', 'outputs')
        }
        result = dict(
            version=__version__,
            type=step.type,
            settings=self.recipe.substitute(settings, self._symbolic_lookup))
        if step.kind.alters_with_gpus:
            result['processes'] = self._processes(step)
        inputs = {}
        for text in self.recipe.references(step):
            inputs[text] = self.digest(self._input_path(step, text))
        for key in (*step.kind.reads, 'inputs'):
            for text in iter_strings(step.spec.get(key)):
                path = self.resolve(text)
                if text not in inputs and '://' not in path:
                    inputs[text] = self._existing(step, path)
        cfg = self.config(step, symbolic=True)
        if cfg is not None:
            result['config'] = digest_value(to_plain(cfg._cfg_dict))
            for path in data_paths(self.config(step)._cfg_dict):
                if not osp.abspath(path).startswith(self.work_dir + os.sep):
                    inputs[path] = self.digest(path)
        if step.type == 'report':
            result['facts'] = digest_value(self._report_facts(step))
        result['inputs'] = inputs
        # As it will be when read back from the state file.
        return json.loads(json.dumps(result, default=repr))

    def _symbolic_lookup(self, name: str, metric: str) -> Any:
        if metric or name in self.recipe.variables:
            return self.lookup(name, metric)
        return f'{{{name}}}'

    def _existing(self, step: Step, path: str) -> str:
        digest = self.digest(path)
        if digest == MISSING:
            raise FileNotFoundError(
                f'step {step.name} reads {path}, which does not exist')
        return digest

    def _input_path(self, step: Step, text: str) -> str:
        """The file or folder behind a string with references."""
        path = self.resolve(text)
        if osp.exists(path):
            return path
        match = REFERENCE.match(text)
        if match and text[match.end():match.end() + 1] in ('', '/'):
            raise FileNotFoundError(
                f'step {step.name} reads {text}, but step {match.group(1)} has not '
                f'written {path}')
        name = next(name for name, _ in REFERENCE.findall(text)
                    if name in {other.name for other in self.recipe.steps})
        return self.recipe.folder(name)

    # Small things

    def _reads_from(self, step: Step) -> list[str]:
        earlier = [other.name for other in self.recipe.steps]
        earlier = earlier[:earlier.index(step.name)]
        if step.type == 'report':
            return earlier
        named = {name for text in iter_strings(step.spec)
                 for name, _ in REFERENCE.findall(text)}
        return [name for name in earlier if name in named]

    def _move_aside(self, step: Step) -> None:
        folder = self.recipe.folder(step.name)
        if osp.isdir(folder) and os.listdir(folder):
            previous = osp.join(self.work_dir, '.previous', step.name)
            shutil.rmtree(previous, ignore_errors=True)
            os.makedirs(osp.dirname(previous), exist_ok=True)
            os.rename(folder, previous)

    def _config_file(self, step: Step) -> str:
        return osp.join(self.work_dir, 'configs', f'{step.name}.py')

    def _processes(self, step: Step) -> int:
        return step.spec.get('gpus', self.gpus)

    def _numbers(self, step: Step) -> str:
        numbers = key_numbers(step, self.record(step))
        return ''.join(f'  {name} {value}' for name, value in numbers.items())

    def _load_state(self) -> dict[str, Any]:
        if osp.exists(self._state_path):
            state = read_json(self._state_path)
            if state.get('version') != _STATE_VERSION:
                raise ValueError(
                    f'{self._state_path} was written by another version of mmwsss; '
                    'choose another --work-dir or remove it')
            return state
        return dict(version=_STATE_VERSION, steps={})

    def _save(self, step: Step, record: dict) -> None:
        self._state['steps'][step.name] = record
        write_json(self._state_path, self._state)


def _follow(value: Any) -> Any:
    """Replace paths of ``last_checkpoint`` files by what these name."""
    if isinstance(value, dict):
        return {key: _follow(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_follow(item) for item in value)
    is_link = isinstance(value, str) and osp.basename(value) == 'last_checkpoint'
    if not is_link or not osp.isfile(value):
        return value
    with open(value, encoding='utf-8') as file:
        # The folder may have been moved since.
        return osp.join(osp.dirname(value), osp.basename(file.read().strip()))


def _first_difference(old: dict, new: dict) -> str:
    """Name the first thing in which two fingerprints differ, or ''."""
    for key in dict.fromkeys((*old, *new)):
        if old.get(key) == new.get(key):
            continue
        if isinstance(old.get(key), dict) and isinstance(new.get(key), dict):
            inner = _first_difference(old[key], new[key])
            if inner:
                return inner if key == 'inputs' else f'{key}.{inner}'
        return key
    return ''


def _remove_unfinished(folder: str) -> None:
    """Remove temporary files of a killed run."""
    for root, _, files in os.walk(folder):
        for file in files:
            if file.startswith('.') and file.endswith('.tmp'):
                os.remove(osp.join(root, file))


def _write_heading(log: str, command: list[str]) -> None:
    os.makedirs(osp.dirname(log), exist_ok=True)
    with open(log, 'a', encoding='utf-8') as file:
        file.write(f'\n$ {shlex.join(command)}\n')


def _tail(path: str, lines: int = 25) -> str:
    with open(path, encoding='utf-8', errors='replace') as file:
        return ''.join(file.readlines()[-lines:]).rstrip()
