# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""A recipe as plain commands, for a shell or a scheduler of one's own."""

import os
import re
import shlex

from mmwsss.utils import map_strings

from .recipe import REFERENCE, Recipe, Step, substitute
from .recipe_runner import RecipeRunner

_MARK = re.compile('\0(\\d+)\0')
"""Stands in a word for a value that is not known yet."""


def is_open(recipe: Recipe, text: str) -> bool:
    """Whether only a run can tell what a string stands for."""
    found = REFERENCE.findall(text)
    steps = {step.name for step in recipe.steps}
    return any(metric for _, metric in found) or (
        text.endswith('/last_checkpoint') and any(name in steps for name, _ in found))


def shell_lines(runner: RecipeRunner, step: Step, resume: bool = False) -> list[str]:
    """The command that its recipe would run for a step, nothing having run yet.

    Args:
        runner (RecipeRunner): What runs the recipe.
        step (Step): The step.
        resume (bool): Whether the command goes on with what it finds. Defaults to
            False.

    Returns:
        list[str]: Lines for a shell that knows the command ``recipe``, by which they
        ask for what only a run can tell: metrics of earlier steps, and their last
        checkpoints.
    """
    job = runner.job(step)
    values: list[str] = []

    def mark(text: str):
        if not is_open(runner.recipe, text):
            return substitute(text, job.values)
        if text not in values:
            values.append(text)
        return f'\0{values.index(text)}\0'

    job.spec = map_strings(step.spec, mark)
    command = job.command(resume)
    needed = set(map(int, _MARK.findall(' '.join(command))))
    asked = [f'value_{i}=$(recipe --value {shlex.quote(values[i])})'
             for i in sorted(needed)]
    return [*asked, ' '.join(map(_quote, command))]


def export_sh(runner: RecipeRunner, steps: list[Step], tool: list[str],
              options: list[str]) -> str:
    """A shell script that runs a recipe, one step after the other.

    Args:
        runner (RecipeRunner): What runs the recipe.
        steps (list[Step]): The steps to export.
        tool (list[str]): The command that reads the recipe: ``tools/pipeline.py``
            with the recipe.
        options (list[str]): Further arguments of it, which come last.
    """
    recipe = runner.recipe
    words = [*map(shlex.quote, [*tool, '--work-dir', recipe.work_dir]), '"$@"',
             *map(shlex.quote, options)]
    lines = [
        '#!/bin/sh',
        f'# {recipe.title}: the commands of {recipe.path}',
        '# Called again, tools skip whole files; a training begins anew.',
        'set -eu',
        f'cd {shlex.quote(os.getcwd())}',
        '# Writes the settings of a step, or says what a reference stands for.',
        f'recipe() {{ {" ".join(words)}; }}',
    ]
    for step in steps:
        lines += ['', f'# {step.name} ({step.type})',
                  f'recipe --prepare {step.name}', *shell_lines(runner, step)]
    return '\n'.join(lines) + '\n'


def _quote(word: str) -> str:
    """A word for the shell, with its marks as variables."""
    parts = _MARK.split(word)
    parts[::2] = [shlex.quote(part) if part else '' for part in parts[::2]]
    parts[1::2] = [f'"$value_{i}"' for i in parts[1::2]]
    return ''.join(parts) or "''"
