# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The cells of the notebook, one after the other; without a network."""

import json
import os.path as osp
import subprocess
import sys

import timm
import torch

from mmwsss.utils import project_path

ROOT = osp.dirname(project_path('tools'))


def test_notebook(tmp_path):
    with open(osp.join(ROOT, 'demo', 'tags_to_masks.ipynb'), encoding='utf-8') as file:
        cells = [''.join(cell['source']) for cell in json.load(file)['cells']
                 if cell['cell_type'] == 'code']
    weights = tmp_path / 'weights.pth'
    torch.save(timm.create_model('mobilenetv1_100').state_dict(), weights)
    # Weights that know nothing, and trainings of an iteration.
    assert 'weights = None' in cells[0] and 'min_iters=10' in cells[0]
    cells[0] = cells[0].replace('epochs=2, min_iters=10', 'epochs=0.1, min_iters=1')
    cells[0] = cells[0].replace('weights = None', f'weights = {str(weights)!r}')
    script = tmp_path / 'cells.py'
    script.write_text('\n'.join([*cells, f'print({cells[-1].splitlines()[-1]})']))
    done = subprocess.run(
        [sys.executable, script], cwd=tmp_path, capture_output=True, text=True,
        stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr
    assert 'ended with status 3' in done.stdout
    folder = tmp_path / 'work_dirs' / 'ten_photos' / 'run'
    assert (folder / 'report.html').is_file()
    assert 'predictions/masks/train_00000.png' in done.stdout
    assert 'export_coco/' in done.stdout
