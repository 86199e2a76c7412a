# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""tools/pipeline.py; its runs are in test_method_pipelines.py and test_faults."""

import os
import subprocess
import sys

import pytest

from mmwsss.recipes import Recipe, RecipeRunner
from mmwsss.recipes.export import export_sh
from mmwsss.utils import project_path

TOOL = project_path('tools', 'pipeline.py')
pytestmark = pytest.mark.usefixtures('find_package')


def test_command_line(tmp_path):
    recipe = tmp_path / 'toy_pipeline.py'
    recipe.write_text(
        "steps = [dict(name='a', type='command', command=['echo', 'done'])]")

    def run(*options):
        return subprocess.run(
            [sys.executable, TOOL, str(recipe), '--work-dir', str(tmp_path / 'work'),
             *options], capture_output=True, text=True)

    planned = run('--dry-run')
    assert 'a (command): run, not run yet\n    echo done' in planned.stdout
    assert not (tmp_path / 'work').exists()
    done = run()
    assert done.returncode == 0 and '[1/1] a: done' in done.stdout
    assert '| a | done | 0:00 |' in (tmp_path / 'work/summary.md').read_text()
    wrong = run('--only', 'b')
    assert wrong.returncode == 2
    assert "has no step 'b'; it has a" in wrong.stderr


def test_recipes_are_whole(tmp_path):
    """Every recipe names steps, configs and options that exist."""
    (tmp_path / 'classes.txt').write_text('owl')
    folder = project_path('configs')
    recipes = [os.path.join(root, name) for root, _, names in os.walk(folder)
               for name in names if name.endswith('_pipeline.py')]
    assert len(recipes) >= 7
    for path in recipes:
        options = dict(data_root=str(tmp_path)) if 'folder' in path else {}
        line = RecipeRunner(Recipe(path, cfg_options=options))
        assert line.recipe.steps[-1].type == 'report'
        for step in line.recipe.steps:
            cfg = line.job(step).config if not _numbers(step) else None
            assert cfg is None or 'custom_imports' in cfg
        script = export_sh(line, line.recipe.steps, ['tool'], [])
        assert script.count('recipe --prepare') == len(line.recipe.steps)
        assert '{' not in script.split('set -eu')[1].replace(
            'recipe() {', '').replace("--value '{", '')


def _numbers(step):
    return ':' in str(step.spec.get('cfg_options', ''))
