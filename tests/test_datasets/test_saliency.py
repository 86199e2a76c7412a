# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import shutil

import numpy as np
import pytest
import torch
from mmseg.models import SegDataPreProcessor
from mmseg.registry import TRANSFORMS
from PIL import Image

from mmwsss.datasets import WeakCOCODataset, WeakDemoDataset
from mmwsss.datasets.image_io import read_image
from mmwsss.datasets.transforms import LoadSaliency

PIPELINE = [
    dict(type='LoadPILImage'),
    dict(type='LoadSaliency'),
    dict(type='RandomResizeLong', min_long=40, max_long=80),
    dict(type='RandomFlip', prob=0.5),
    dict(type='RandomCropPad', crop_size=72, pad_val=(0, 0, 0)),
    dict(type='PackWeakInputs')
]


@pytest.fixture
def root(voc_root, tmp_path):
    """A data set whose saliency maps are the green of the images."""
    root = shutil.copytree(voc_root, tmp_path / 'root')
    (root / 'Saliency').mkdir()
    for path in (root / 'JPEGImages').iterdir():
        green = read_image(str(path))[..., 1]
        Image.fromarray(green).save(root / 'Saliency' / f'{path.stem}.png')
    return root


def dataset(root, pipeline=PIPELINE):
    return WeakDemoDataset(
        data_root=str(root),
        ann_file='ImageSets/Segmentation/train.txt',
        label_file='image_labels.json',
        data_prefix=dict(img_path='JPEGImages', saliency_path='Saliency'),
        pipeline=pipeline)


def test_follows_the_image(root):
    data = dataset(root)
    flips = set()
    for seed in range(6):
        np.random.seed(seed)
        packed = data[seed % len(data)]
        sample = packed['data_samples']
        saliency = sample.gt_saliency.data
        assert saliency.dtype == torch.uint8 and saliency.shape == (1, 72, 72)
        difference = saliency[0].float() - packed['inputs'][1]
        x1, y1, x2, y2 = sample.valid_box
        inside = difference[y1:y2, x1:x2].abs()
        # Bicubic images, bilinear saliency.
        assert inside.mean() < 4
        outside = saliency[0].clone()
        outside[y1:y2, x1:x2] = 0
        assert not outside.any()
        flips.add(sample.flip)
    assert flips == {True, False}


def test_reaches_the_model(root):
    data = dataset(root)
    items = [data[0], data[1]]
    batch = SegDataPreProcessor(size=(72, 72))(
        dict(
            inputs=[item['inputs'] for item in items],
            data_samples=[item['data_samples'] for item in items]), True)
    for item, sample in zip(items, batch['data_samples'], strict=True):
        assert torch.equal(sample.gt_saliency.data,
                           item['data_samples'].gt_saliency.data)


def test_missing_map(root):
    path = sorted((root / 'Saliency').iterdir())[0]
    path.unlink()
    with pytest.raises(FileNotFoundError, match=f"'{path.stem}'.*{path.name}"):
        dataset(root)


def test_map_of_another_size(root):
    data = dataset(root)
    name = data.get_data_info(0)['saliency_path']
    Image.new('L', (5, 7)).save(name)
    with pytest.raises(ValueError, match='is 5x7.*expected 64x'):
        data[0]


def test_no_map_asked_for():
    with pytest.raises(ValueError, match='a.jpg.*saliency_path'):
        LoadSaliency()(dict(img_path='a.jpg', seg_fields=[]))


@pytest.mark.parametrize('mode, value', [('L', 130), ('RGB', 100),
                                         ('P', 90)])
def test_kinds_of_files(tmp_path, mode, value):
    path = str(tmp_path / 'a.png')
    colour = dict(L=130, RGB=(30, 90, 180), P=0)[mode]
    image = Image.new(mode, (4, 3), colour)
    if mode == 'P':
        image.putpalette([90, 90, 90])
    image.save(path)
    results = TRANSFORMS.build(dict(type='LoadSaliency'))(
        dict(saliency_path=path, img_path='a.jpg', ori_shape=(3, 4),
             seg_fields=[]))
    assert results['gt_saliency'].dtype == np.uint8
    assert (results['gt_saliency'] == value).all()
    assert results['seg_fields'] == ['gt_saliency']


def test_coco_names(tmp_path):
    for folder, name in (('train2014', 'COCO_train2014_000000000009.jpg'),
                         ('sal', '9.png')):
        (tmp_path / folder).mkdir()
        Image.new('L', (4, 3)).save(tmp_path / folder / name)
    (tmp_path / 'list.txt').write_text('000000000009\n')
    (tmp_path / 'labels.json').write_text('{"9": ["cat"]}')
    data = WeakCOCODataset(
        data_root=str(tmp_path),
        ann_file='list.txt',
        label_file='labels.json',
        data_prefix=dict(img_path='train2014', saliency_path='sal'))
    assert data.get_data_info(0)['saliency_path'].endswith('sal/9.png')
