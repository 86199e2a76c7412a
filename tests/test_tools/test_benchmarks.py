# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The benchmarks run and print their figures; what these are is not tested."""

import re
import sys
from importlib.util import module_from_spec, spec_from_file_location

import pytest

from mmwsss.utils import project_path, read_json


@pytest.fixture
def run(monkeypatch, capfd):
    """Run a benchmark in this process and return what it prints."""

    def run(name, *args):
        path = project_path('tools', 'analysis_tools', f'{name}.py')
        spec = spec_from_file_location(name, path)
        module = module_from_spec(spec)
        # Processes that a benchmark forks find its functions by name.
        monkeypatch.setitem(sys.modules, name, module)
        monkeypatch.setattr(sys, 'argv', [path, *map(str, args)])
        spec.loader.exec_module(module)
        module.main()
        return capfd.readouterr().out

    return run


def test_random_walk(run, tmp_path):
    out = run('benchmark_random_walk', '--sizes', '32x48', '64x64', '--devices',
              'cpu', '--dense-up-to', 200, '--repeat', 1, '--out',
              tmp_path / 'figures.json')
    table = [line.strip('| ').split(' | ') for line in out.splitlines()
             if line.startswith('|')]
    assert table[0][:3] == ['photo', 'device', 'dense (s)']
    assert [row[0] for row in table[2:]] == ['48x32', '64x64']
    with_dense, without = read_json(str(tmp_path / 'figures.json'))
    assert with_dense['ratio'] > 0 and 0 <= with_dense['largest_error'] < 1e-3
    assert without['ours_seconds'] > 0 and 'ratio' not in without


def test_pamr(run):
    out = run('benchmark_pamr', '--channels', 3, '--size', 24, 32,
              '--iterations', 2, '--runs', 1)
    assert out.startswith('3 channels, 24 x 32, 2 iterations, cpu')
    assert re.search(r'stack \d.* s, mmwsss \d.* s \(medians\), ratio \d', out)
    assert re.search(r'peak memory: stack \d+ MiB, mmwsss \d+ MiB, ratio \d', out)
    assert float(out.split('largest difference ')[1]) < 1e-4


def test_sance(run):
    out = run('benchmark_sance',
              project_path('configs', 'sance', 'sance_demo.py'), '--jobs', 0,
              '--steps', 1, '--device', 'cpu', '--cfg-options',
              'model.data_preprocessor.size=(64,64)',
              'train_dataloader.batch_size=2', 'model.backbone.base_channels=32')
    assert re.search(r'batch 2 of \(64, 64\), cpu', out)
    assert re.search(r'CRF in this process: \d.* s a step', out)
    parts = re.findall(r'^  (\w.*?) +\d+\.\d+ s +-?\d+\.\d %$', out, re.M)
    assert {'forward', 'CRF', 'losses', 'data and the rest'} <= set(parts)
