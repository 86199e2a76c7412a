# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""A recipe of slow steps that write many small files."""

import os

from mmwsss.recipes import Recipe, RecipeRunner

TOY_STEPS = os.path.join(os.path.dirname(__file__), 'toy_steps.py')
RECIPE = """
count = 8
word = 'first'
tool = {tool!r}
steps = [
    dict(name='seeds', type='command', resume=True,
         command=['python', '{{tool}}', '{{seeds}}', '{{count}}', '{{word}}']),
    dict(name='score', type='command',
         command=['python', '{{tool}}', '{{score}}', 3, '', '{{seeds}}', '--no-skip',
                  '--measure']),
    dict(name='labels', type='command', resume=True,
         command=['python', '{{tool}}', '{{labels}}', '{{count}}', '{{score:score}}',
                  '{{seeds}}']),
    dict(name='other', type='command', command=['python', '{{tool}}', '{{other}}', 2,
                                                'own']),
]
"""


def pipeline(recipe_path, work_dir='work', **options):
    folder = os.path.join(os.path.dirname(recipe_path), work_dir)
    return RecipeRunner(Recipe(recipe_path, folder, options))


def run(recipe_path, work_dir='work', names=None, force=False, **options):
    line = pipeline(recipe_path, work_dir, **options)
    line.run(names, force)
    return line


def contents(line):
    """All outputs of all steps."""
    files = {}
    for step in line.recipe.steps:
        folder = line.recipe.folder(step.name)
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name), 'rb') as file:
                files[step.name, name] = file.read()
    return files


def results(line):
    """All outputs of all steps, and what they measured."""
    metrics = {step.name: line.record(step)['metrics'] for step in line.recipe.steps}
    return contents(line), metrics
