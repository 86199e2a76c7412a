# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The benchmarks run and print their figures; what these are is not tested, but
that both sides compute the same."""

import sys

import pytest
from tool_runner import run_tool

from mmwsss.utils import project_path, read_json

FOLDER = project_path('tools', 'analysis_tools')
sys.path.insert(0, FOLDER)
from benchmarks import COMPARISONS  # noqa: E402
from benchmarks.timing import alternate, ratio_row  # noqa: E402

# Its straight loop asks the reference.
NEED_PYDENSECRF = ('seeds', )


@pytest.fixture
def run(capfd):
    """Run benchmark.py in this process and return what it prints."""

    def run(*args):
        run_tool('analysis_tools/benchmark', *args)
        return capfd.readouterr().out

    return run


@pytest.mark.parametrize('name', COMPARISONS)
def test_comparison(run, tmp_path, name, monkeypatch):
    monkeypatch.setattr('benchmarks.startup.TOOLS', ('train.py', ))
    monkeypatch.setattr('benchmarks.crf.PRESETS', ('irn_label', 'deeplab'))
    if name in NEED_PYDENSECRF:
        pytest.importorskip('pydensecrf')
    config = []
    if name == 'seeds':
        config = ['--config', project_path('configs', 'cam', 'cam_demo.py')]
    out = run(name, '--sizes', 64, '--classes', 3, '--runs', 1, '--json',
              tmp_path / 'figures.json', *config)
    rows = read_json(str(tmp_path / 'figures.json'))['rows']
    lines = [line for line in out.splitlines() if line.startswith('| ')]
    assert len(lines) == len(rows) + 2 > 2
    for row, line in zip(rows, lines[2:], strict=True):
        assert row['comparison'] == name and row['size'] in (64, 50, None)
        ratio = row['ratio']
        assert 0 < ratio['min'] <= ratio['median'] <= ratio['max']
        assert row['reference'] in line and row['ours'] in line
        facts = row['facts']
        assert facts.get('difference', 0) < 1e-3
        assert facts.get('agreement', 1) > 0.99
        assert facts.get('equal', 'true') == 'true'


def test_alternate():
    called = []
    seconds, results = alternate(
        {name: lambda name=name: called.append(name) or name for name in 'ab'},
        runs=3)
    # One turn to warm up; every other turn backwards.
    assert ''.join(called) == 'ba' + 'ab' + 'ba' + 'ab'
    assert results == dict(a='a', b='b')
    assert [len(times) for times in seconds.values()] == [3, 3]


def test_ratio_row():
    row = ratio_row('x', 'case', dict(a=[4., 6., 9.], b=[2., 1., 3.]), 'a', 'b',
                    size=5, difference=0.)
    assert row['ratio'] == dict(median=3., min=2., max=6., best=4.)
    assert row['seconds']['a'] == dict(median=6., min=4., max=9.)


@pytest.mark.parametrize('arguments, message', [
    (['nothing'], 'unknown comparison nothing'),
    (['--config', 'c.py'], 'name it'),
    (['walk', '--sizes', 8], 'at least 16'),
])
def test_bad_options(run, capfd, arguments, message):
    with pytest.raises(SystemExit):
        run(*arguments)
    assert message in capfd.readouterr().err


def test_reference_not_installed(run, monkeypatch):
    monkeypatch.setitem(sys.modules, 'pydensecrf', None)
    config = project_path('configs', 'cam', 'cam_demo.py')
    out = run('seeds', '--sizes', 32, '--runs', 1, '--config', config)
    assert 'seeds, the rest is left out: ' in out and '| seed, cam_demo' in out
