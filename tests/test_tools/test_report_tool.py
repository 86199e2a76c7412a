# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import json
import os
import re
import shutil
import subprocess
import sys

import pytest
from PIL import Image

from mmwsss.utils import project_path, read_config, write_json

pytestmark = pytest.mark.usefixtures('find_package')


@pytest.fixture
def config(voc_root, tmp_path):
    """The demo's config with its data in place."""
    path = tmp_path / 'config.py'
    cfg = read_config(project_path('configs', 'cam', 'cam_demo.py'),
                      dict(data_root=str(voc_root)))
    cfg.dump(path)
    return path


@pytest.fixture
def spec(voc_root, tmp_path):
    """Pseudo labels that are the truth, a training log and a threshold curve."""
    shutil.copytree(voc_root / 'SegmentationClass', tmp_path / 'labels')
    scalars = tmp_path / 'train' / '20260101_000000' / 'vis_data'
    scalars.mkdir(parents=True)
    (scalars / 'scalars.json').write_text('{"lr": 1, "loss": 3.0, "step": 10}\n'
                                          '{"lr": 1, "loss": 2.0, "step": 20}\n')
    curve = dict(thresholds=[0.1, 0.2], recall=[90, 50], precision=[40, 60],
                 mIoU=[30, 40])
    write_json(str(tmp_path / 'details.json'), dict(details=curve))
    return dict(
        title='A tiny run',
        protocol=dict(labels='generated'),
        steps=[dict(name='train', type='train', seconds=61,
                    numbers={'mIoU': '12.3'}, protocol='split train')],
        headline=[dict(title='mIoU', value=40.0, full=50.0)],
        sections=[dict(title='Photos of train', num_images=3,
                       columns=[dict(title='Pseudo label',
                                     masks=str(tmp_path / 'labels'))])],
        checks=[dict(title='Seeds', status='ok', text='as expected', pictures=[
            str(voc_root / 'JPEGImages' / sorted(
                os.listdir(voc_root / 'JPEGImages'))[0])])],
        files=dict(table='summary.md'),
        thresholds=dict(CAM=str(tmp_path / 'details.json')),
        curves=[dict(title='Training', train=str(tmp_path / 'train'))])


def make_report(config, spec, tmp_path):
    path = tmp_path / 'spec.json'
    if spec is not None:
        write_json(str(path), spec)
    tool = project_path('tools', 'analysis_tools', 'make_report.py')
    return subprocess.run(
        [sys.executable, tool, str(config), str(path), '--out',
         str(tmp_path / 'out')], capture_output=True, text=True)


def test_report(config, spec, tmp_path):
    done = make_report(config, spec, tmp_path)
    assert done.returncode == 0, done.stderr
    assert 'Photos of train: 8 images (1 of 1 sections)' in done.stdout
    assert sorted(os.listdir(tmp_path / 'out')) == [
        'contact_sheet.png', 'report.html']
    page = (tmp_path / 'out/report.html').read_text()
    assert '8 of 8 photos' in done.stdout
    data = re.search(r'id="images-1">(.*?)</script>', page)[1]
    assert len(json.loads(data)['images']) == 8
    for said in ('as expected', 'href="summary.md"', 'A tiny run', 'Photos of train',
                 'Pseudo label', 'generated', '12.3', '80 % of 50.0',
                 'Seeds over all thresholds', 'Training'):
        assert said in page
    # Image, label and truth of three images, one of a check; two figures.
    assert page.count('<img') == 10 and page.count('<svg') == 2
    with Image.open(tmp_path / 'out/contact_sheet.png') as sheet:
        assert sheet.size[1] > 3 * 64


def test_bad_input(config, spec, tmp_path):
    missing = make_report(config, None, tmp_path)
    assert missing.returncode == 2
    assert missing.stderr.splitlines()[-1].startswith('error: ')
    assert 'spec.json' in missing.stderr
    wrong = json.loads(json.dumps(spec))
    wrong['sections'][0]['loader'] = 'no_dataloader'
    done = make_report(config, wrong, tmp_path)
    assert done.returncode == 2 and 'has no no_dataloader' in done.stderr
    wrong['sections'][0].pop('loader')
    wrong['checks'] = [dict(title='a', text='b')]
    done = make_report(config, wrong, tmp_path)
    assert done.returncode == 2 and 'a check has no status' in done.stderr
    wrong['sections'][0]['columns'][0]['masks'] = str(tmp_path / 'none')
    done = make_report(config, wrong, tmp_path)
    assert "error: section 'Photos of train'" in done.stderr
    assert not (tmp_path / 'out').exists()
