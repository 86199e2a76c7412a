# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""A step with all that it refers to: its command, and what decides its outcome."""

import os
import os.path as osp
import sys
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mmwsss.utils import (
    all_strings,
    atomic_write,
    change_config,
    follow_checkpoint,
    load_config,
    map_strings,
    project_path,
    write_json,
)
from mmwsss.utils.digest import MISSING, digest_value
from mmwsss.version import __version__

from .config_data import data_paths
from .launch import launch
from .recipe import REFERENCE, Recipe, Step, substitute
from .step_types import StepCall

if TYPE_CHECKING:
    from mmengine.config import Config

# What changes the way to an outcome or its display, or is looked at otherwise.
_NO_SETTINGS = ('config', 'cfg_options', 'data_root', 'show', 'jobs', 'gpus',
                'resume', 'outputs')


class Job:
    """A step at the moment when it is its turn.

    Args:
        recipe (Recipe): The recipe.
        step (Step): The step.
        values (dict): What references stand for, see :meth:`Recipe.values`.
        digest (Callable): The digest of a file or folder.
        launcher (str): One of ``LAUNCHERS``. Defaults to ``'none'``.
        gpus (int): Processes, unless the step says how many. Defaults to 1.
        facts (dict, optional): What a report tells about the steps before it.
        ignore_checks (bool): Whether checks that fail let the run go on. Defaults
            to False.
    """

    def __init__(self,
                 recipe: Recipe,
                 step: Step,
                 values: dict[str, Any],
                 digest: Callable[[str], str],
                 launcher: str = 'none',
                 gpus: int = 1,
                 facts: dict[str, Any] | None = None,
                 ignore_checks: bool = False) -> None:
        self.recipe = recipe
        self.step = step
        self.kind = step.kind
        self.values = values
        self.digest = digest
        self.launcher = launcher
        self.processes = step.spec.get('gpus') or gpus
        self.facts = facts
        self.ignore_checks = ignore_checks
        self.folder = recipe.folder(step.name)
        self.config_file = osp.join(recipe.work_dir, 'configs', f'{step.name}.py')

    def resolve(self, value: Any) -> Any:
        """``value`` with its references replaced.

        ``{step}/last_checkpoint`` becomes the checkpoint that mmengine names in
        that file.

        Raises:
            ValueError: If it needs a number that no step has measured yet.
        """
        return map_strings(substitute(value, self.values), follow_checkpoint)

    @cached_property
    def spec(self) -> dict[str, Any]:
        """All that the recipe says about the step, resolved."""
        return self.resolve(self.step.spec)

    @cached_property
    def config(self) -> 'Config | None':
        """The full config of the step."""
        path = self.recipe.config_path(self.step)
        if path is None:
            return None
        cfg = load_config(path, import_custom_modules=False)
        change_config(cfg, self.resolve(self.options))
        return cfg

    @property
    def options(self) -> dict[str, Any]:
        """All changes of its config, with references still in braces."""
        options = {**self.recipe.shared, **self.recipe.shared_options(self.step),
                   **(self.step.spec.get('cfg_options') or {})}
        if self.step.spec.get('data_root'):
            options['data_root'] = self.step.spec['data_root']
        return options

    @property
    def is_script(self) -> bool:
        """Whether the command is this Python and one of our scripts."""
        return bool(self.kind.tool) and (
            not self.kind.distributed or self.launcher == 'none')

    @property
    def resumes(self) -> bool:
        """Whether the tool goes on with what a killed run left."""
        resume = self.step.spec.get('resume')
        return self.kind.resumes if resume is None else resume

    def command(self, resume: bool = False) -> list[str]:
        """The command line.

        Args:
            resume (bool): Whether it goes on with an unfinished run. Defaults to
                False.
        """
        call = StepCall(self.spec, self.folder, self.recipe.work_dir,
                        self.config_file, resume, self.ignore_checks)
        arguments = self.kind.arguments(call)
        arguments += [str(argument) for argument in call.spec.get('args') or ()]
        if not self.kind.tool:
            return arguments
        tool = project_path('tools', *self.kind.tool.split('/'))
        if not self.kind.distributed:
            return [sys.executable, tool, *arguments]
        return launch(tool, arguments, self.launcher, self.processes,
                      f'{self.recipe.name}.{self.step.name}')

    def prepare(self) -> None:
        """Make the folder, and write the files that the tool reads settings from."""
        os.makedirs(self.folder, exist_ok=True)
        _remove_unfinished(self.folder)
        if self.config is not None:
            with atomic_write(self.config_file, 'w') as file:
                file.write(self.config.pretty_text)
        if self.facts is not None:
            write_json(osp.join(self.folder, 'spec.json'),
                       dict(self.spec, **self.facts))

    @cached_property
    def made_from(self) -> dict[str, Any]:
        """All that decides the outcome, wherever the work folder is.

        Raises:
            FileNotFoundError: If something that it reads is not there.
        """
        settings = {key: value for key, value in self.step.spec.items()
                    if key not in _NO_SETTINGS}
        made = dict(version=__version__, type=self.step.type,
                    settings=self._portable(substitute(settings, self.values)))
        if self.kind.alters_with_gpus:
            made['processes'] = self.processes
        inputs = {text: self.digest(self._input_path(text))
                  for text in self.recipe.references(self.step)}
        for key in (*self.kind.reads, 'inputs'):
            for text in all_strings(self.step.spec.get(key)):
                path = self.resolve(text)
                if text in inputs or '://' in path:
                    continue
                inputs[text] = self.digest(path)
                if inputs[text] == MISSING:
                    raise FileNotFoundError(f'step {self.step.name} reads {path}, '
                                            'which does not exist')
        if self.config is not None:
            made['config'] = digest_value(self._portable(self.config._cfg_dict))
            inside = self.recipe.work_dir + os.sep
            for path in data_paths(self.config._cfg_dict):
                if not osp.abspath(path).startswith(inside):
                    inputs[path] = self.digest(path)
        if self.facts is not None:
            made['facts'] = digest_value(self.facts)
        return dict(made, inputs=inputs)

    def outputs(self) -> list[str]:
        """Files and folders that must stay, for the step to count as done."""
        paths = [osp.join(self.folder, name) for name in self.kind.outputs]
        paths += [osp.abspath(self.resolve(path))
                  for path in self.step.spec.get('outputs') or ()]
        for other in self.recipe.steps:
            for text in self.recipe.references(other):
                match = REFERENCE.match(text)
                if match and match[1] == self.step.name and match.end() < len(text):
                    paths.append(self.resolve(text))
        return list(dict.fromkeys(map(osp.normpath, paths)))

    def _portable(self, value: Any) -> Any:
        """Without the places of work folder and tools, which may move."""
        places = {self.recipe.work_dir: '{work_dir}', self.values['tools']: '{tools}'}

        def portable(text: str) -> str:
            for place, name in places.items():
                text = text.replace(place, name)
            return text

        return map_strings(value, portable)

    def _input_path(self, text: str) -> str:
        """The file or folder behind a string with references."""
        path = self.resolve(text)
        if osp.exists(path):
            return path
        match = REFERENCE.match(text)
        if match and text[match.end():match.end() + 1] in ('', '/'):
            raise FileNotFoundError(
                f'step {self.step.name} reads {text}, but step {match[1]} has not '
                f'written {path}')
        steps = {step.name for step in self.recipe.steps}
        name = next(name for name, _ in REFERENCE.findall(text) if name in steps)
        return self.recipe.folder(name)


def _remove_unfinished(folder: str) -> None:
    """Remove temporary files of a killed run."""
    for root, _, files in os.walk(folder):
        for file in files:
            if file.startswith('.') and file.endswith('.tmp'):
                os.remove(osp.join(root, file))
