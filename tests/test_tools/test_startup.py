# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""No tool imports anything heavy before it has read its command line."""

import subprocess
import sys
from pathlib import Path

import pytest

from mmwsss.utils import project_path

ROOT = Path(project_path('tools')).parent
TOOLS = sorted(
    str(path.relative_to(ROOT))
    for path in [*ROOT.glob('tools/**/*.py'), *ROOT.glob('demo/*.py')]
    if path.parent.name != 'benchmarks' and '__main__' in path.read_text())
PARSE = """
import os, runpy, sys
sys.argv = sys.argv[1:]
sys.path.insert(0, os.path.dirname(TOOL))
status = 0
try:
    runpy.run_path(TOOL, run_name='__main__')
except SystemExit as done:
    status = done.code
heavy = {'torch', 'torchvision', 'mmengine', 'mmcv', 'mmseg', 'mmpretrain', 'timm',
         'numba', 'scipy', 'cv2', 'matplotlib', 'rich', 'pyarrow', 'ray'}
print('status', status, 'imported', sorted(heavy.intersection(sys.modules)))
"""


def parse(tool, *arguments):
    """What a tool says of a command line that ends it."""
    code = PARSE.replace('TOOL', repr(str(ROOT / tool)))
    done = subprocess.run(
        [sys.executable, '-c', code, tool, *arguments], capture_output=True,
        text=True, cwd=ROOT, timeout=120)
    return done.stdout + done.stderr


@pytest.mark.parametrize('tool', TOOLS)
def test_help_imports_nothing_heavy(tool):
    said = parse(tool, '--help')
    assert 'usage:' in said
    assert 'status 0 imported []' in said


@pytest.mark.parametrize('tool, arguments, message', [
    ('tools/train.py', ['--no-such-option', 'x'], 'unrecognized arguments'),
    ('tools/generate_seeds.py', ['cfg.py', 'none.pth', '--out', 'x'],
     'there is no checkpoint none.pth'),
    ('tools/refine_seeds.py',
     ['cfg.py', '--seeds', 'x', '--out', 'y', '--refiner', 'best'],
     "invalid choice: 'best'"),
    ('tools/evaluate_seeds.py', ['cfg.py', '--seeds', '.', '--bg-thr', 'much'],
     'much is neither a number nor a file'),
    ('tools/analysis_tools/cam.py', ['a.jpg', '--model', 'clip'],
     'name them by --classes'),
    ('tools/pipeline.py', ['recipe.py', '--gpus', '0'],
     '--gpus must be at least 1'),
])
def test_wrong_arguments_import_nothing_heavy(tool, arguments, message):
    said = parse(tool, *arguments)
    assert message in said
    assert 'status 2 imported []' in said


@pytest.mark.parametrize('option', ['--list', '--dry-run'])
def test_a_pipeline_plans_without_torch(option, tmp_path):
    said = parse('tools/pipeline.py', 'configs/esol/esol_demo_pipeline.py',
                 '--work-dir', str(tmp_path), option)
    assert 'train_localizer' in said
    assert "status 0 imported ['mmengine', 'rich']" in said
