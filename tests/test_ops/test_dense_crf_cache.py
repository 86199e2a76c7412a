# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""What numba compiled is kept between processes, and nothing breaks where not."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import mmwsss.ops.dense_crf_backends

pytest.importorskip('numba')
SOURCE = Path(mmwsss.ops.dense_crf_backends.__file__).parent

# Prints a sum of a lattice, and how often the cache was hit and missed.
KERNELS = '''
import sys
import numpy as np
from crf import numba_kernels as kernels

offsets = np.arange(30, dtype=np.int32).reshape(10, 3) % 7
neighbours = np.arange(42, dtype=np.int32).reshape(3, 7, 2) % 8
lattice = (0,) * 3, offsets, np.full((10, 3), 1 / 3, np.float32), neighbours
received = kernels.normalise(lattice, .8, 3.)
logits = np.linspace(-1, 1, 10, dtype=np.float32).reshape(10, 1)
kernels.mean_field(logits, lattice, lattice, received, 3, (0,))
stats = [kernel.stats for kernel in (kernels.normalise, kernels.mean_field)]
print(f'{logits.sum():.5f}', sum(sum(each.cache_hits.values()) for each in stats),
      sum(sum(each.cache_misses.values()) for each in stats))
'''
# The cache breaks between the import and the first call.
BROKEN = '''
import shutil, warnings
from pathlib import Path
import torch
from crf import numba_backend

numba_backend.load_kernels()
shutil.rmtree('cache')
Path('cache').touch()
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter('always')
    field = numba_backend.MeanField(
        torch.zeros(4, 5, 3, dtype=torch.uint8), (3, 3), (50, 5, 10))
    probs = field(torch.zeros(2, 4, 5), 2)
assert (probs - .5).abs().max() < 1e-5, probs
assert any('cannot be kept' in str(each.message) for each in caught)
'''


@pytest.fixture
def folder(tmp_path):
    """With a copy of the compiled functions, which imports little."""
    (tmp_path / 'crf').mkdir()
    for path in SOURCE.glob('*.py'):
        shutil.copy(path, tmp_path / 'crf')
    (tmp_path / 'crf' / '__init__.py').write_text('')
    return tmp_path


def start(folder, code=KERNELS, **environment):
    known = {key: value for key, value in os.environ.items()
             if not key.startswith(('NUMBA_', 'XDG_'))}
    return subprocess.Popen(
        [sys.executable, '-c', code], cwd=folder, text=True,
        env={**known, 'HOME': str(folder / 'home'), **environment},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def result(process):
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert 'Traceback' not in errors
    return output.split()


def test_processes_share_compiled_code(folder):
    """Two compile at once, a third finds all; another CPU's is not taken."""
    cache = dict(NUMBA_CACHE_DIR=str(folder / 'cache'))
    both = [start(folder, **cache) for _ in range(2)]
    value = result(both[0])[0]
    assert result(both[1])[0] == value
    assert result(start(folder, **cache)) == [value, '2', '0']
    assert not list((folder / 'cache').rglob('*.tmp.*'))
    assert result(start(folder, NUMBA_CPU_NAME='x86-64', NUMBA_CPU_FEATURES='',
                        **cache))[1:] == ['0', '2']
    # The copy of both is kept.
    assert result(start(folder, **cache)) == [value, '2', '0']


def test_read_only_installation(folder):
    """The user's folder is taken; without one nothing is kept, and all works."""
    # Root may write anywhere, but not into a file.
    (folder / 'crf' / '__pycache__').touch()
    first = result(start(folder))
    assert first[1:] == ['0', '2']
    assert list((folder / 'home').rglob('*.nbc'))
    assert result(start(folder)) == [first[0], '2', '0']
    process = start(folder, HOME='/dev/null')
    output, errors = process.communicate(timeout=300)
    assert output.split() == [first[0], '0', '2']
    assert errors.count('each process compiles it again') == 1


def test_cache_that_breaks(folder):
    (folder / 'cache').mkdir()
    assert result(start(folder, BROKEN, NUMBA_CACHE_DIR='cache')) == []
