# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Photos of one size, side by side, for the seeds of CLIP-ES."""

import random
from itertools import groupby
from math import ceil

import numpy as np
import pytest
from mmengine.dataset import ConcatDataset
from mmengine.registry import init_default_scope
from mmseg.registry import DATA_SAMPLERS, DATASETS
from PIL import Image

pytest.importorskip('open_clip')

from projects.clip_es import ResizeToPatches, SameSizeSampler  # noqa: E402

# With sides of 16: six of 48 x 32, four of 32 x 48, three of 32 x 32, one of 16 x 32.
SIZES = [(33, 32), (30, 41), (48, 20), (32, 32), (47, 31), (31, 48), (16, 17), (40, 32),
         (29, 30), (20, 40), (33, 17), (32, 35), (25, 17), (48, 32)]


def make_images(root, sizes=SIZES, turned=(), first=0):
    """A folder of grey images, called by numbers."""
    folder = root / 'photos'
    folder.mkdir()
    for i, (height, width) in enumerate(sizes):
        image = Image.fromarray(np.full((height, width), i, np.uint8))
        exif = Image.Exif()
        if i in turned:
            image, exif[0x0112] = image.transpose(Image.Transpose.ROTATE_90), 6
        image.save(folder / f'{first + i:02}.jpg', exif=exif)
    (root / 'tags.csv').write_text('\n'.join(
        f'{first + i:02},cat' for i in range(len(sizes))))
    return folder


def make_dataset(root, **options):
    init_default_scope('mmseg')
    return DATASETS.build(dict(dict(
        type='WeakFolderDataset', data_root=str(root), label_file='tags.csv',
        test_mode=True, pipeline=[]), **options))


def patches(size, max_long=None):
    """What the image becomes, by the transform itself."""
    results = ResizeToPatches(max_long=max_long)(
        dict(img=np.zeros((*size, 3), np.uint8)))
    return results['img_shape']


@pytest.mark.parametrize('max_long', [None, 32])
def test_sizes_lie_together(tmp_path, max_long):
    """The largest first; within a size as in the dataset."""
    make_images(tmp_path, turned=(0, 5))
    dataset = make_dataset(tmp_path)
    order = list(SameSizeSampler(dataset, max_long=max_long))
    made = [patches(SIZES[i], max_long) for i in order]
    assert sorted(order) == list(range(len(SIZES)))
    assert len(list(groupby(made))) == len(set(made)) == (4 if max_long is None else 3)
    areas = [height * width for height, width in made]
    assert areas == sorted(areas, reverse=True)
    for _, group in groupby(order, lambda i: patches(SIZES[i], max_long)):
        positions = list(group)
        assert positions == sorted(positions)
    # Nothing but the files decides.
    random.seed(1)
    assert list(SameSizeSampler(dataset, max_long=max_long, seed=5)) == order


@pytest.mark.parametrize('round_up', [True, False])
@pytest.mark.parametrize('world', [1, 2, 3])
def test_processes_share_the_order(tmp_path, world, round_up, monkeypatch):
    """Each has its images by size; padding repeats the first ones."""
    make_images(tmp_path)
    dataset = make_dataset(tmp_path)
    whole = list(SameSizeSampler(dataset))
    parts = []
    for rank in range(world):
        monkeypatch.setattr('mmengine.dataset.sampler.get_dist_info',
                            lambda rank=rank: (rank, world))
        sampler = SameSizeSampler(dataset, round_up=round_up)
        parts.append(list(sampler))
        assert len(parts[-1]) == len(sampler)
        unpadded = parts[-1][:len(range(rank, len(whole), world))]
        made = [patches(SIZES[i]) for i in unpadded]
        assert len(list(groupby(made))) == len(set(made))
    steps = max(map(len, parts))
    mixed = [part[step] for step in range(steps) for part in parts if step < len(part)]
    assert mixed[:len(whole)] == whole
    padded = ceil(len(whole) / world) * world if round_up else len(whole)
    assert mixed[len(whole):] == whole[:padded - len(whole)]


def test_the_rest_of_a_run(tmp_path):
    """What is done already is left out, and the rest keeps its order."""
    make_images(tmp_path)
    dataset = make_dataset(tmp_path)
    whole = list(SameSizeSampler(dataset))
    missing = [1, 2, 5, 8, 12, 13]
    dataset.get_subset_(missing)
    assert [missing[i] for i in SameSizeSampler(dataset)] == [
        i for i in whole if i in missing]


def test_joined_datasets(tmp_path):
    for name in 'ab':
        (tmp_path / name).mkdir()
    make_images(tmp_path / 'a', SIZES[:5])
    make_images(tmp_path / 'b', SIZES[5:], first=5)
    joined = ConcatDataset([make_dataset(tmp_path / name, data_prefix=dict(
        img_path='photos')) for name in 'ab'])
    made = [patches(SIZES[i]) for i in SameSizeSampler(joined)]
    assert len(made) == len(SIZES) and len(list(groupby(made))) == 4


def test_shards_keep_their_order():
    """They are read by blocks; and a size would be read with its image."""

    class Shards:
        block_starts = [0, 2]

        def __len__(self):
            return 5

    assert list(SameSizeSampler(Shards())) == list(range(5))


def test_what_is_no_image(tmp_path):
    folder = make_images(tmp_path)
    (folder / '03.jpg').write_bytes(b'none')
    with pytest.raises(ValueError, match='cannot read image .*03.jpg'):
        SameSizeSampler(make_dataset(tmp_path))


def test_in_batches(tmp_path):
    """As the runner builds it: fewer passes, of sizes that the model tells apart."""
    from mmengine.runner import Runner
    make_images(tmp_path)
    dataset = make_dataset(
        tmp_path, pipeline=[dict(type='LoadPILImage'), dict(type='ResizeToPatches'),
                            dict(type='PackWeakInputs')])

    def passes(sampler):
        loader = Runner.build_dataloader(dict(
            dataset=dataset, batch_size=4, num_workers=0, sampler=sampler), seed=0)
        return sum(len({one.shape for one in batch['inputs']}) for batch in loader)

    assert 'SameSizeSampler' in DATA_SAMPLERS
    assert passes(dict(type='DefaultSampler', shuffle=False)) == 11
    assert passes(dict(type='SameSizeSampler')) == 6
