# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import colorsys
import os.path as osp
import re
import shutil
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from mmengine.dataset import Compose
from mmseg.registry import DATASETS, MODELS
from PIL import Image

from mmwsss.datasets.transforms.seeding import SamplePosition
from mmwsss.structures import read_label_names
from mmwsss.utils import project_path, read_config

FOLDER = project_path('configs', '_base_', 'datasets')
SINGLE_STAGE = sorted(
    path.stem for path in Path(FOLDER).glob('*_single_stage*.py'))


def load(name, kind='weak', **options):
    return read_config(osp.join(FOLDER, f'{name}_{kind}.py'), options)


@pytest.fixture
def demo_as(voc_root, tmp_path):
    """Lay the demo scenes out as another data set's config expects."""

    def lay_out(name):
        if name == 'demo':
            return voc_root
        root = shutil.copytree(voc_root, tmp_path / name)
        classes = (root / 'classes.txt').read_text().split()
        if name == 'voc':
            lists = root / 'ImageSets' / 'Segmentation'
            shutil.copy(lists / 'train.txt', lists / 'train_aug.txt')
            # The demo's tags are no VOC classes: a name for a name.
            from mmseg.datasets import PascalVOCDataset
            names = PascalVOCDataset.METAINFO['classes']
            text = (root / 'image_labels.json').read_text()
            for old, new in zip(classes[1:], names[1:], strict=False):
                text = text.replace(f'"{old}"', f'"{new}"')
            (root / 'image_labels.json').write_text(text)
            return root
        (root / 'JPEGImages').rename(root / 'photos')
        (root / 'SegmentationClass').rename(root / 'masks')
        table = read_label_names(str(root / 'image_labels.json'))
        (root / 'tags.csv').write_text('\n'.join(
            ','.join([f'{i}.jpg', *tags]) for i, tags in table.items()))
        return root

    return lay_out


@pytest.mark.parametrize('name', ['demo', 'voc', 'folder'])
def test_config(name, demo_as):
    cfg = load(name, data_root=str(demo_as(name)))
    train = DATASETS.build(cfg.train_dataloader.dataset)
    sample = train[0]
    assert sample['inputs'].shape == (3, *cfg.crop_size)
    assert 'gt_sem_seg' not in sample['data_samples']
    assert sample['data_samples'].tags[1:].any()
    assert len(train) == (12 if name == 'folder' else 8)

    val = DATASETS.build(cfg.val_dataloader.dataset)[0]
    assert val['inputs'].shape == (3, 64, 64)
    assert val['data_samples'].gt_sem_seg.data.shape == (1, 64, 64)

    seeds = DATASETS.build(cfg.seed_dataloader.dataset)[0]
    sides = [64, 64, 32, 32, 96, 96, 128, 128]
    assert [tuple(i.shape) for i in seeds['inputs']
            ] == [(3, side, side) for side in sides]
    flips = [s.flip for s in seeds['data_samples']]
    assert flips == [False, True] * 4
    for plain, flipped in zip(
            seeds['inputs'][::2], seeds['inputs'][1::2], strict=True):
        assert np.array_equal(plain.flip(2), flipped)
    for sample in seeds['data_samples']:
        assert 'gt_sem_seg' not in sample
        assert sample.ori_shape == (64, 64)
        assert sample.tags[1:].any()


@cache
def pipeline(jitter):
    return Compose([
        transform for transform in load('demo', 'single_stage').train_pipeline
        if jitter or transform.type != 'mmpretrain.ColorJitter'
    ])


def image(image, position, jitter=True, index=0, seed=3):
    """RGB of a training sample of the demo's single-stage config."""
    index = SamplePosition(index, position, seed)
    sample = pipeline(jitter)(dict(img_path=str(image), sample_idx=index))
    return sample['inputs'].numpy()[::-1]


@pytest.fixture
def paint(tmp_path):
    """Write an RGB image."""

    def write(rgb, name='photo.png'):
        Image.fromarray(np.uint8(rgb)).save(tmp_path / name)
        return tmp_path / name

    return write


@pytest.mark.parametrize('name', SINGLE_STAGE)
def test_single_stage_augmentation(name, voc_root):
    """All augment alike, to crops of their own size."""
    name, kind = name.split('_', 1)
    cfg = load(name, kind, **dict(classes=['owl']) if name == 'folder' else {})
    expected = load('demo', 'single_stage').train_pipeline
    for transform in expected:
        if 'scale' in transform:
            transform.scale = cfg.crop_size
    assert cfg.train_dataloader.dataset.pipeline == expected
    image, *_ = (voc_root / 'JPEGImages').iterdir()
    sample = Compose(expected)(
        dict(
            img_path=str(image),
            sample_idx=0,
            tags=np.array([1, 0, 1], np.uint8)))
    assert sample['inputs'].shape == (3, *cfg.crop_size)
    assert str(sample['inputs'].dtype) == 'torch.uint8'
    assert sample['data_samples'].tags.tolist() == [1, 0, 1]


def test_single_stage_augmentation_follows_the_position(paint):
    canvas = paint(np.random.default_rng(0).integers(0, 256, (60, 80, 3)))
    one = image(canvas, 5)
    np.random.seed(0)
    assert np.array_equal(one, image(canvas, 5, index=9))
    for other in (image(canvas, 6), image(canvas, 5, seed=4)):
        assert not np.array_equal(one, other)


def crops(canvas, count=1):
    """Centre and size (y, x) of crops of an image that shows where it is."""
    for position in range(count):
        red, green, _ = image(canvas, position, jitter=False).astype(float)
        box = []
        for line in (green.mean(1), red.mean(0)):
            places = np.arange(len(line))
            # Without the edges, where the resizing has less to look at.
            slope, _ = np.polyfit(places[4:-4], line[4:-4], 1)
            box.append((line.mean() + 0.5, slope * len(line)))
        yield np.transpose(box)


def ramps(height, width):
    y, x = np.mgrid[:height, :width]
    return np.stack([x, y, 0 * x], -1)


@pytest.mark.parametrize('size', [(180, 240), (240, 180), (200, 200)])
def test_single_stage_crops(paint, size):
    sizes = np.array([box[1] for box in crops(paint(ramps(*size)), 24)])
    assert (sizes[:, 0] > 0).all()
    assert {True, False} == set(sizes[:, 1] > 0)  # flipped
    height, width = np.abs(sizes).T
    shares = height * width / (size[0] * size[1])
    assert 0.89 < shares.min() < 0.95 and 0.97 < shares.max() < 1.01
    assert len(set(shares.round(2))) > 4
    ratios = width / height
    assert 0.74 < ratios.min() and ratios.max() < 1.35


def test_single_stage_crops_of_long_images(paint):
    """No crop of 0.9 is within 3:4 to 4:3: the largest in the middle is."""
    for size, crop in [((120, 250), (120, 160)), ((250, 120), (160, 120))]:
        centre, sides = next(crops(paint(ramps(*size))))
        assert np.allclose(centre, np.array(size) / 2, atol=1)
        assert np.allclose(np.abs(sides), crop, atol=1)


def test_single_stage_colours(paint):
    """All factors are found again, and in their ranges."""
    tones = np.full((60, 60, 3), 70)
    tones[:30] = 110
    tones = paint(tones, 'grey.png')
    red = (130, 60, 50)
    colour = paint(np.broadcast_to(red, (60, 60, 3)), 'red.png')
    hue = colorsys.rgb_to_hsv(*red)[0]
    factors = []
    for position in range(30):
        grey, before = (
            image(tones, position, jitter)[0].astype(float)
            for jitter in (True, False))
        brightness = grey.mean() / before.mean()
        contrast = grey.std() / before.std() / brightness
        now = image(colour, position).mean((1, 2))
        # What both make of it, saturation adds to; hue leaves it alone.
        saturation = np.ptp(now) / np.ptp(red) / brightness / contrast
        turn = (colorsys.rgb_to_hsv(*now)[0] - hue + 0.5) % 1 - 0.5
        factors.append((brightness, contrast, saturation, 1 + turn))
    low, high = np.min(factors, 0), np.max(factors, 0)
    bound = np.array([0.3, 0.3, 0.3, 0.1])
    assert (1 - bound - 0.03 < low).all() and (low < 1 - bound / 2).all()
    assert (high < 1 + bound + 0.03).all() and (high > 1 + bound / 2).all()


@pytest.fixture
def one_colour(tmp_path):
    """An image of one colour, wider than high, and a mask of class 1."""
    Image.new('RGB', (300, 200), (10, 200, 90)).save(tmp_path / 'a.png')
    Image.new('L', (300, 200), 1).save(tmp_path / 'a_mask.png')
    return dict(
        img_path=str(tmp_path / 'a.png'),
        seg_map_path=str(tmp_path / 'a_mask.png'),
        label_map=None,
        reduce_zero_label=False,
        seg_fields=[])


@pytest.mark.parametrize('name, size', [('deeplabv2_r101_voc', 321),
                                        ('deeplabv1_r101_voc', 448)])
def test_augmentation_pads_with_the_mean(name, size, one_colour):
    cfg = read_config(project_path('configs', 'deeplab', f'{name}.py'))
    pipeline = Compose(cfg.train_dataloader.dataset.pipeline)
    preprocess = MODELS.build(cfg.model.data_preprocessor)
    widths = set()
    for seed in range(6):
        np.random.seed(seed)
        packed = pipeline(dict(one_colour, seg_fields=[]))
        batch = preprocess(
            dict(
                inputs=[packed['inputs']], data_samples=[packed['data_samples']]),
            training=True)
        inputs = batch['inputs'][0]
        label = batch['data_samples'][0].gt_sem_seg.data[0]
        assert inputs.shape == (3, size, size)
        assert label.shape == (size, size)
        assert set(label.unique().tolist()) <= {1, 255}
        # 8-bit padding is off the mean by less than half a grey level.
        assert inputs[:, label == 255].abs().max() < 0.5
        assert inputs[:, label == 1].abs().max() > 0.5
        widths.add(int((label == 1).any(dim=0).sum()))
    assert len(widths) > 2


def test_documented_data_set(voc_root, tmp_path):
    """A data set of one's own fills in the skeleton as docs/en/own_photos.md says."""
    page = Path(project_path('configs')).parent / 'docs' / 'en' / 'own_photos.md'
    if not page.exists():
        pytest.skip('an install has no docs')
    base = project_path('configs', '_base_')
    for name, text in re.findall(
            r'```python\n# configs/pets/(\w+\.py)\n(.*?)```', page.read_text(), re.S):
        (tmp_path / name).write_text(text.replace('../_base_', base))
    root = tmp_path / 'data'
    shutil.copytree(voc_root / 'JPEGImages', root / 'images')
    shutil.copytree(voc_root / 'SegmentationClass', root / 'masks')
    shutil.copy(voc_root / 'image_labels.json', root / 'tags.json')
    shutil.copy(voc_root / 'ImageSets/Segmentation/train.txt', root)
    options = dict(data_root=str(root),
                   classes=(voc_root / 'classes.txt').read_text().split())
    cfg = read_config(str(tmp_path / 'cam_r50_pets.py'), options)
    assert cfg.model.decode_head.num_classes == len(cfg.classes)
    small = read_config(str(tmp_path / 'pets_weak_small.py'), options)
    for config, size in ((cfg, 512), (small, 256)):
        sample = DATASETS.build(config.train_dataloader.dataset)[0]
        assert sample['inputs'].shape == (3, size, size)
        assert 'gt_sem_seg' not in sample['data_samples']
    val, seeds = (DATASETS.build(cfg[f'{kind}_dataloader'].dataset)
                  for kind in ('val', 'seed'))
    assert len(val) == len(seeds) == 8
    assert 'gt_sem_seg' in val[0]['data_samples']
    assert len(seeds[0]['inputs']) == 4 * 2  # scales and flips
