# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from scipy.io import savemat
from scipy.sparse import csc_matrix
from tool_runner import run_tool

from mmwsss.datasets.image_io import read_mask


def convert(root, out):
    run_tool('dataset_converters/sbd', root, '--out', out, '--jobs', 0)


def annotate(path, mask):
    """Write a file as SBD has them: a cell of sparse boundaries."""
    cells = np.empty((20, 1), dtype=object)
    present = []
    for label in range(1, 21):
        inside = mask == label
        edge = np.zeros(mask.shape, bool)
        edge[:, 1:] |= inside[:, 1:] != inside[:, :-1]
        cells[label - 1, 0] = csc_matrix(edge.astype(float))
        if inside.any():
            present.append([label])
    savemat(path, dict(GTcls=dict(
        Boundaries=cells, Segmentation=mask,
        CategoriesPresent=np.array(present))))


@pytest.fixture
def sbd(tmp_path):
    (tmp_path / 'cls').mkdir()
    masks = {}
    for i, name in enumerate(('2008_000001', '2008_000002')):
        mask = np.zeros((6, 8 + i), np.uint8)
        mask[1:5, 2:5] = 7 + i
        mask[1:5, 5:7] = 20
        annotate(tmp_path / 'cls' / f'{name}.mat', mask)
        masks[name] = mask
    (tmp_path / 'train.txt').write_text('2008_000001\n')
    (tmp_path / 'val.txt').write_text('2008_000002\n')
    return tmp_path, masks


def test_masks_boundaries_and_lists(sbd, tmp_path):
    root, masks = sbd
    out = tmp_path / 'out'
    convert(root, out)
    for name, mask in masks.items():
        assert np.array_equal(read_mask(str(out / 'masks' / f'{name}.png')), mask)
        edge = np.zeros(mask.shape, bool)
        edge[:, 1:] = mask[:, 1:] != mask[:, :-1]
        boundary = read_mask(str(out / 'boundaries' / f'{name}.png'))
        assert np.array_equal(boundary, edge.astype(np.uint8))
    lists = out / 'ImageSets' / 'Segmentation'
    assert (lists / 'val.txt').read_text() == '2008_000002\n'
    # What is there stays.
    done = out / 'masks' / '2008_000001.png'
    before = done.stat().st_mtime_ns
    convert(root, out)
    assert done.stat().st_mtime_ns == before


def test_errors(sbd, tmp_path):
    root, _ = sbd
    (root / 'cls' / '2008_000002.mat').write_bytes(b'MATLAB')
    with pytest.raises(ValueError, match='2008_000002.mat'):
        convert(root, tmp_path / 'out')
    # The first one is whole.
    assert (tmp_path / 'out' / 'boundaries' / '2008_000001.png').exists()
    (root / 'cls' / '2008_000002.mat').unlink()
    with pytest.raises(FileNotFoundError, match="'2008_000002'"):
        convert(root, tmp_path / 'out')
