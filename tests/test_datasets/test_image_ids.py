# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""One image, one name, whatever the dataset."""

import numpy as np
import pytest
import torch
from mmengine.dataset import ConcatDataset
from mmengine.model import BaseModel
from mmengine.structures import PixelData
from mmseg.datasets import BaseSegDataset
from mmseg.registry import MODELS
from PIL import Image
from tool_runner import run_tool

from mmwsss.datasets import WeakFolderDataset
from mmwsss.datasets.image_ids import image_ids, image_infos

IDS = ['cat/001', 'cat/002', 'dog/001', 'dog/deep/001']
META = dict(classes=['background', 'cat'], palette=[[0, 0, 0], [9, 9, 9]])


def make_images(root, names=IDS, suffix='.png'):
    """Photos whose pixels are their number; masks of the same folders."""
    for number, name in enumerate(names):
        for folder in ('photos', 'masks'):
            path = root / folder / f'{name}{suffix if folder == "photos" else ".png"}'
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((4, 6), number % 2, np.uint8)).save(path)


def mmseg_dataset(root, **kwargs):
    kwargs.setdefault('img_suffix', '.png')
    return BaseSegDataset(
        data_root=str(root), metainfo=META,
        data_prefix=dict(img_path='photos', seg_map_path='masks'), **kwargs)


def test_ids_of_datasets(tmp_path):
    """mmseg's datasets and ours call the same image the same."""
    make_images(tmp_path)
    ours = WeakFolderDataset(data_root=str(tmp_path), classes=['cat'], test_mode=True)
    for dataset in (mmseg_dataset(tmp_path), ours):
        assert sorted(image_ids(dataset).values()) == IDS
        for info in image_infos(dataset):
            assert info['img_path'] == str(
                tmp_path / 'photos' / f'{info["img_id"]}.png')


def test_ids_of_a_list_and_of_a_long_suffix(tmp_path):
    make_images(tmp_path, suffix='_left.png')
    (tmp_path / 'list.txt').write_text('dog/001\ncat/002\n')
    dataset = mmseg_dataset(tmp_path, img_suffix='_left.png', ann_file='list.txt')
    assert [info['img_id'] for info in image_infos(dataset)] == ['dog/001', 'cat/002']


def test_two_images_of_one_id(tmp_path):
    """Of joined folders, before anything is written."""
    for folder in ('a', 'b'):
        make_images(tmp_path / folder)
    parts = [mmseg_dataset(tmp_path / folder) for folder in ('a', 'b')]
    assert len(image_ids(ConcatDataset([parts[0], parts[0]]))) == len(IDS)
    with pytest.raises(ValueError, match=r'a/photos/cat/001.png and .*b/photos/cat'):
        image_ids(ConcatDataset(parts))


def test_images_that_differ_in_case(tmp_path):
    make_images(tmp_path, ['Cat', 'cat'])
    if len(list((tmp_path / 'photos').iterdir())) == 2:
        with pytest.raises(ValueError, match='are one where case'):
            image_ids(mmseg_dataset(tmp_path))


class FirstPixel(BaseModel):
    """Predicts the class that all pixels of an image are."""

    def forward(self, inputs, data_samples=None, mode='predict'):
        for image, sample in zip(inputs, data_samples, strict=True):
            sample.pred_sem_seg = PixelData(data=image[:1].long())
        return data_samples


CONFIG = """
default_scope = 'mmseg'
model = dict(type='FirstPixel')
test_dataloader = dict(
    batch_size=2, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='BaseSegDataset', data_root={root!r}, img_suffix='.png',
        data_prefix=dict(img_path='photos', seg_map_path='masks'),
        metainfo=dict(classes=['background', 'cat'], palette=[[0, 0, 0], [9, 9, 9]]),
        pipeline=[dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'),
                  dict(type='PackSegInputs')]))
test_cfg = dict(type='TestLoop')
test_evaluator = dict(type='IoUMetric', iou_metrics=['mIoU'])
"""


@pytest.fixture
def first_pixel():
    MODELS.register_module(module=FirstPixel)
    yield
    del MODELS._module_dict['FirstPixel']


def write_config(root):
    make_images(root)
    (root / 'seg.py').write_text(CONFIG.format(root=str(root)))
    torch.save({}, root / 'w.pth')
    return root / 'seg.py', root / 'w.pth', '--work-dir', root / 'work'


def test_masks_of_subfolders(tmp_path, first_pixel):
    """Each image of mmseg's own dataset has its own mask file."""
    run_tool('test', *write_config(tmp_path), '--masks', tmp_path / 'out')
    written = sorted(path.relative_to(tmp_path / 'out').with_suffix('').as_posix()
                     for path in (tmp_path / 'out').rglob('*.png'))
    assert written == IDS
    for number, name in enumerate(IDS):
        mask = np.array(Image.open(tmp_path / 'out' / f'{name}.png'))
        assert (mask == number % 2).all()


def test_nothing_is_written_where_two_clash(tmp_path, first_pixel):
    arguments = write_config(tmp_path)
    make_images(tmp_path / 'more')
    part = 'dict(type="BaseSegDataset", img_suffix=".png", data_root={!r}, ' \
        'data_prefix=dict(img_path="photos", seg_map_path="masks"))'
    parts = ', '.join(part.format(str(root)) for root in (tmp_path, tmp_path / 'more'))
    with pytest.raises(ValueError, match='have the same id'):
        run_tool('test', *arguments, '--masks', tmp_path / 'out', '--cfg-options',
                 'test_dataloader.dataset=dict(_delete_=True, type="ConcatDataset", '
                 f'datasets=[{parts}])')
    assert not list(tmp_path.glob('out/**/*.png'))
