# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Runs the steps of a recipe, each only when something it reads changed."""

import os
import os.path as osp
import shlex
from copy import deepcopy
from typing import Any

from mmwsss.utils.digest import MISSING, DigestCache
from mmwsss.utils.entry_point import STOPPED_BY_CHECK
from mmwsss.utils.ledger import Decision, Ledger
from mmwsss.utils.paths import set_aside

from .forecast import Forecast
from .job import Job
from .process import (
    ProgressLine,
    StepProcesses,
    folder_lock,
    format_seconds,
    kill_leftovers,
    stop_on_signals,
)
from .recipe import Recipe, Step
from .summary import key_numbers, read_metrics, report_facts, write_summary

# A line of a tool's output that is shown as it is.
_WARNING = 'WARNING: '


class StepFailed(RuntimeError):
    """A step's tool ended with an error."""


class CheckFailed(StepFailed):
    """A check found what makes going on useless."""


class RecipeRunner:
    """Runs a recipe in its work folder.

    Each step has a :class:`Ledger`. It is done if its last run ended well, and
    nothing that it depends on, and none of its outputs, changed since. What it
    depends on: its settings, its full config, the content of each file and folder
    that it reads (outputs of earlier steps; lists, labels and images of its data),
    the version of mmwsss. Dates do not count.

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
        ignore_checks (bool): Whether checks that fail let the run go on.
    """

    def __init__(self,
                 recipe: Recipe,
                 launcher: str = 'none',
                 gpus: int = 1,
                 preload: bool = True,
                 ignore_checks: bool = False) -> None:
        self.recipe = recipe
        self.launcher = launcher
        self.gpus = gpus
        self.preload = preload
        self.ignore_checks = ignore_checks
        self.work_dir = recipe.work_dir
        self.digest = DigestCache(osp.join(self.work_dir, '.digests.json'))
        self.outcomes: dict[str, str] = {}
        self._read_ledgers()
        self._forecast = Forecast(
            recipe, lambda step: deepcopy(self.job(step).config), gpus)

    @property
    def older_state(self) -> str:
        """What an older mmwsss kept instead of ledgers, or ''."""
        path = osp.join(self.work_dir, 'pipeline_state.json')
        return path if osp.exists(path) else ''

    def record(self, step: Step) -> dict[str, Any]:
        """What the ledger of a step holds; empty if it never ran."""
        return self._ledgers[step.name].record

    def job(self, step: Step) -> Job:
        """What there is to do for a step, after the steps before it."""
        records = {}
        for name in self.recipe.depends_on(step):
            # A step that was run by hand has no ledger here.
            records[name] = self.record(self.recipe[name]) or dict(
                metrics=read_metrics(self.recipe.folder(name)))
        facts = (report_facts(self.recipe, step, records)
                 if step.type == 'report' else None)
        return Job(self.recipe, step, self.recipe.values(records), self.digest,
                   self.launcher, self.gpus, facts, self.ignore_checks)

    def value(self, text: str) -> Any:
        """What a string with references stands for now."""
        step = Step('', 'command', dict(command=[text]))
        return self.job(step).spec['command'][0]

    def decide(self, job: Job, force: bool = False) -> Decision:
        """Decide what to do with a step whose earlier steps are done.

        Args:
            job (Job): The step.
            force (bool): Run it even if nothing changed. Defaults to False.

        Raises:
            FileNotFoundError: If something it reads is not there.
        """
        ledger = self._ledgers[job.step.name]
        decision = ledger.decide(
            job.made_from,
            lambda path: self.digest(osp.join(self.work_dir, path)))
        if not ledger.record:
            return decision
        if force:
            return Decision('run', 'asked for')
        if decision.action != 'run' and not osp.isdir(job.folder):
            return Decision('run', 'its output is gone')
        if decision.action == 'resume' and not job.resumes:
            return Decision('run', decision.reason)
        return decision

    def preview(self,
                names: list[str] | None = None,
                force: bool = False) -> list[tuple[Step, Decision]]:
        """What :meth:`run` would do, with the same arguments.

        A step behind one that is to run may be found unchanged after all; its
        action is ``'check'``.
        """
        decisions: list[tuple[Step, Decision]] = []
        pending: set[str] = set()
        for step in self.chosen(names):
            waits = [name for name in self.recipe.depends_on(step) if name in pending]
            if waits and not force:
                action = 'check' if self.record(step) else 'run'
                decision = Decision(action, f'after {", ".join(waits)}')
            elif waits:
                decision = Decision('run', 'asked for')
            else:
                decision = self.decide(self.job(step), force)
            if decision.action != 'skip':
                pending.add(step.name)
            decisions.append((step, decision))
        return decisions

    def chosen(self, names: list[str] | None = None) -> list[Step]:
        """The steps of these names, or all, in the recipe's order."""
        return [step for step in self.recipe.steps
                if names is None or step.name in names]

    def run(self, names: list[str] | None = None, force: bool = False) -> None:
        """Run steps in the recipe's order; the others are taken as they are.

        Args:
            names (list[str], optional): Which steps. Defaults to None, all.
            force (bool): Run them even if nothing changed. Defaults to False.

        Raises:
            BlockingIOError: If another run works in the same folder.
            StepFailed: If a tool fails; the steps before it stay done.
            Interrupted: If a signal stopped the recipe; children are ended.
        """
        with folder_lock(self.work_dir), stop_on_signals():
            if ended := kill_leftovers(self.work_dir):
                print(f'Ended {ended} processes that a killed run had left.')
            self._read_ledgers()
            if self.older_state:
                self._set_aside(self.older_state)
            steps = self.chosen(names)
            try:
                with StepProcesses(self.work_dir, self.preload) as processes:
                    for number, step in enumerate(steps, 1):
                        heading = f'[{number}/{len(steps)}] {step.name}'
                        self._do(step, heading, force, processes)
            finally:
                self.digest.save()
                write_summary(self.recipe, self._records(), self.outcomes)

    def prepare(self, step: Step) -> None:
        """Make the folder and the settings' files of a step that is run by hand.

        Raises:
            BlockingIOError: If a run works in the same folder.
            ValueError: If the step was run with its recipe, which would not know
                of another run.
        """
        with folder_lock(self.work_dir):
            if self.record(step):
                raise ValueError(f'{self.work_dir} holds step {step.name} of a '
                                 'recipe; choose another --work-dir')
            self.job(step).prepare()

    def begin(self, step: Step) -> Decision:
        """Make ready a step whose plain command another engine will start.

        It decides as :meth:`run` does, and keeps the same ledger; :meth:`end`
        closes it. Steps may begin and end side by side, on several machines that
        share the work folder.

        Returns:
            Decision: ``'run'`` or ``'resume'`` if the command is to start, or
            ``'skip'`` if the step is done and nothing that it reads changed.

        Raises:
            BlockingIOError: If :meth:`run` works in the same folder.
            FileNotFoundError: If something that the step reads is not there.
        """
        with folder_lock(self.work_dir):
            pass  # no run of its own works here; others may begin at once
        job = self.job(step)
        decision = self.decide(job)
        self.digest.save()
        if decision.action != 'skip':
            self._open(job, decision.action == 'resume')
            job.prepare()
        return decision

    def end(self, step: Step) -> None:
        """Write down that the command of a step that :meth:`begin` opened is done.

        Raises:
            StepFailed: If it has not written what it should have.
            ValueError: If the step is not open.
        """
        if self.record(step).get('status') != 'running':
            raise ValueError(f'step {step.name} was not begun in {self.work_dir}')
        job = self.job(step)
        self._end(step, 'done', outputs=self._outputs(job),
                  metrics=read_metrics(job.folder))

    def _open(self, job: Job, resume: bool) -> None:
        """Begin the ledger of a step, with what is to stay of its folder."""
        if not resume:
            self._set_aside(job.folder)
        # Before the folder is made: an empty one must not pass for an old output.
        self._ledgers[job.step.name].begin(job.made_from, resume)

    def _set_aside(self, path: str) -> None:
        """Keep what a step has left, or an older state, in ``.previous``."""
        set_aside(path, osp.join(self.work_dir, '.previous', osp.basename(path)))

    def _do(self, step: Step, heading: str, force: bool,
            processes: StepProcesses) -> None:
        job, ledger = self.job(step), self._ledgers[step.name]
        decision = self.decide(job, force)
        if decision.action == 'skip':
            self.outcomes[step.name] = 'unchanged'
            print(f'{heading}: unchanged{self._numbers(step)}')
            return
        print(f'{heading}: {decision.action} ({decision.reason})', flush=True)
        resume = decision.action == 'resume'
        self._open(job, resume)
        try:
            self._execute(job, resume, processes)
            told = dict(outputs=self._outputs(job), metrics=read_metrics(job.folder))
        except (StepFailed, OSError, ValueError):
            self._end(step, 'failed')
            raise
        except BaseException:
            self._end(step, 'interrupted')
            raise
        self._end(step, 'done', **told)
        print(f'{heading}: done in {format_seconds(ledger.record["seconds"])}'
              f'{self._numbers(step)}', flush=True)

    def _execute(self, job: Job, resume: bool, processes: StepProcesses) -> None:
        job.prepare()
        command = job.command(resume)
        log = osp.join(self.work_dir, 'logs', f'{job.step.name}.log')
        _write_heading(log, command)
        progress = ProgressLine(job.step.name)

        def on_line(line: str) -> None:
            expected = self._forecast.look(job.step, line)
            if expected:
                progress.say(expected)
            if line.startswith(_WARNING):
                progress.say(line)
            progress.update(line)

        try:
            code = processes.run(command, log, on_line,
                                 self._ledgers[job.step.name].beat, job.is_script)
        finally:
            progress.close()
        if code == STOPPED_BY_CHECK:
            raise CheckFailed(
                f'{_tail(log, 15)}\nStopped by the check {job.step.name}. Change the '
                'data or the settings, or go on all the same by --ignore-checks '
                '(mmwsss run: --force).')
        if code != 0:
            raise StepFailed(
                f'step {job.step.name} failed with status {code}:\n{_tail(log)}\n'
                f'The whole output is in {log}. When the cause is mended, the same '
                'command goes on from here.')

    def _outputs(self, job: Job) -> dict[str, str]:
        """The digests of what a step wrote, by path below the work folder."""
        digests = {}
        for path in job.outputs():
            digest = digests[osp.relpath(path, self.work_dir)] = self.digest(path)
            if digest == MISSING:
                raise StepFailed(f'step {job.step.name} ended without an error, but '
                                 f'did not write {path}')
        self.digest.save()
        return digests

    def _end(self, step: Step, status: str, **told: Any) -> None:
        self.outcomes[step.name] = status
        self._ledgers[step.name].finish(status, **told)

    def _read_ledgers(self) -> None:
        self._ledgers = {
            step.name: Ledger(osp.join(self.work_dir, 'ledger', f'{step.name}.json'))
            for step in self.recipe.steps
        }

    def _records(self) -> dict[str, dict]:
        return {step.name: self.record(step) for step in self.recipe.steps}

    def _numbers(self, step: Step) -> str:
        numbers = key_numbers(step, self.record(step))
        return ''.join(f'  {name} {value}' for name, value in numbers.items())


def _write_heading(log: str, command: list[str]) -> None:
    os.makedirs(osp.dirname(log), exist_ok=True)
    with open(log, 'a', encoding='utf-8') as file:
        file.write(f'\n$ {shlex.join(command)}\n')


def _tail(path: str, most: int = 25) -> str:
    """The last lines of a log, of the last command alone."""
    with open(path, encoding='utf-8', errors='replace') as file:
        lines = file.readlines()
    begins = [i for i, line in enumerate(lines) if line.startswith('$ ')]
    return ''.join(lines[max(0, len(lines) - most, *begins[-1:]):]).rstrip()
