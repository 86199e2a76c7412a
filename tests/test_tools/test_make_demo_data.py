# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import hashlib

import numpy as np
import pytest
from PIL import Image
from tool_runner import load_tool, run_tool

from mmwsss.datasets import DemoDataset
from mmwsss.datasets.image_io import read_mask
from mmwsss.structures import read_label_names

TOOL = load_tool('dataset_converters/make_demo_data')
CLASSES, PALETTE = (DemoDataset.METAINFO[key] for key in ('classes', 'palette'))
draw_scene = TOOL.draw_scene


def make_demo_data(out, *options):
    run_tool('dataset_converters/make_demo_data', '--out', out, *options)


def digests(root):
    return {
        str(path.relative_to(root)): hashlib.sha256(
            path.read_bytes()).hexdigest()
        for path in root.rglob('*') if path.is_file()
    }


def test_same_seed_same_bytes(tmp_path):
    for name, seed in (('a', 0), ('b', 0), ('c', 1)):
        np.random.seed(seed + 7)  # the global generator does not matter
        make_demo_data(tmp_path / name, '--seed', seed, '--num-train', 3, '--num-val',
                       2, '--size', 48)
    first, again, other = (digests(tmp_path / n) for n in 'abc')
    assert first == again
    assert len(first) == 5 + 5 + 4
    assert first.keys() == other.keys()
    assert all(first[name] != other[name] for name in first
               if name.endswith(('.jpg', '.png')))


def test_layout(voc_root):
    assert TOOL.CLASSES == CLASSES
    table = read_label_names(str(voc_root / 'image_labels.json'))
    assert (voc_root / 'classes.txt').read_text().split() == list(CLASSES)
    listed = []
    for split, count in (('train', 8), ('val', 4)):
        path = voc_root / 'ImageSets' / 'Segmentation' / f'{split}.txt'
        ids = path.read_text().split()
        assert len(ids) == count
        listed += ids
    assert listed == list(table)
    for image_id in listed:
        image = Image.open(voc_root / 'JPEGImages' / f'{image_id}.jpg')
        assert (image.mode, image.size) == ('RGB', (64, 64))
        path = voc_root / 'SegmentationClass' / f'{image_id}.png'
        mask = read_mask(str(path))
        names = [CLASSES[i] for i in np.unique(mask) if i]
        assert names == table[image_id]
        assert 1 <= len(names) <= 3
        with Image.open(path) as mask:
            assert mask.mode == 'P'
            colours = np.array(mask.getpalette()).reshape(-1, 3)
            assert colours[:len(PALETTE)].tolist() == PALETTE


def test_objects_are_large_and_each_tag_is_seen():
    shares, tags = [], set()
    for index in range(30):
        image, mask = draw_scene(0, index, 48)
        assert image.shape == (48, 48, 3) and image.dtype == np.uint8
        assert mask.shape == (48, 48) and mask.dtype == np.uint8
        present, counts = np.unique(mask, return_counts=True)
        assert present[0] == 0 and present[-1] < len(CLASSES)
        assert counts[1:].min() > 0.04 * mask.size
        shares.append(1 - counts[0] / mask.size)
        tags.update(present[1:].tolist())
    assert tags == {1, 2, 3, 4, 5, 6}
    assert 0.1 < np.mean(shares) < 0.4


def test_scene_depends_on_its_index_only():
    image, mask = draw_scene(0, 3, 48)
    draw_scene(0, 4, 48)
    again, mask_again = draw_scene(0, 3, 48)
    assert np.array_equal(image, again)
    assert np.array_equal(mask, mask_again)


def test_bad_arguments(tmp_path):
    with pytest.raises(ValueError, match='0 and 2'):
        make_demo_data(tmp_path, '--num-train', 0, '--num-val', 2)
    with pytest.raises(ValueError, match='at least 32'):
        make_demo_data(tmp_path, '--size', 8)
    assert not list(tmp_path.iterdir())


def test_a_data_set_of_ones_own_stays(tmp_path):
    own = tmp_path / 'ImageSets' / 'Segmentation' / 'val.txt'
    own.parent.mkdir(parents=True)
    own.write_text('2007_000033\n')
    few = ('--num-train', 1, '--num-val', 2, '--size', 32)
    with pytest.raises(FileExistsError, match='val.txt lists images that are no gen'):
        make_demo_data(tmp_path, *few)
    assert own.read_text() == '2007_000033\n' and len(list(tmp_path.iterdir())) == 1
    own.write_text('val_00000\n')
    make_demo_data(tmp_path, *few)
    assert own.read_text().split() == ['val_00000', 'val_00001']
