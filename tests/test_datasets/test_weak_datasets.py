# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import json
import shutil

import numpy as np
import pytest
from mmengine.dataset import pseudo_collate
from mmseg.datasets import PascalVOCDataset
from PIL import Image

from mmwsss.datasets import (
    BaseWeakSegDataset,
    WeakCOCODataset,
    WeakDemoDataset,
    WeakFolderDataset,
    WeakVOCDataset,
)
from mmwsss.datasets.coco import COCO_CATEGORY_IDS, COCO_CLASSES, coco_number
from mmwsss.datasets.image_io import voc_palette

TRAIN = 'ImageSets/Segmentation/train.txt'
PIPELINE = [
    dict(type='LoadPILImage'),
    dict(type='RandomResizeLong', min_long=40, max_long=80),
    dict(type='RandomFlip', prob=0.5),
    dict(type='RandomCropPad', crop_size=48),
    dict(type='PackWeakInputs')
]


def demo(root, **kwargs):
    kwargs = dict(
        dict(
            ann_file=TRAIN, label_file='image_labels.json', pipeline=PIPELINE),
        **kwargs)
    return WeakDemoDataset(data_root=str(root), **kwargs)


@pytest.fixture
def own_root(voc_root, tmp_path):
    """A copy that a test may change."""
    return shutil.copytree(voc_root, tmp_path / 'root')


def image(path, size=(8, 6), seed=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.RandomState(seed).randint(0, 255, (*size, 3))
    Image.fromarray(pixels.astype(np.uint8)).save(path)


def table_of(dataset):
    return {
        info['img_id']: info['tags'].tolist()
        for info in map(dataset.get_data_info, range(len(dataset)))
    }


class TestBase:

    def test_samples(self, voc_root):
        dataset = demo(voc_root)
        table = json.loads((voc_root / 'image_labels.json').read_text())
        assert len(dataset) == 8
        for i in range(8):
            info = dataset.get_data_info(i)
            assert info['img_id'] == f'train_{i:05d}'
            assert info['img_path'].endswith(f'train_{i:05d}.jpg')
            assert info['tags'].dtype == np.uint8
            assert [dataset.metainfo['classes'][c] for c in dataset.get_cat_ids(i)
                    ] == table[info['img_id']]
            assert 'seg_map_path' not in info
            sample = dataset[i]['data_samples']
            assert np.array_equal(sample.tags, info['tags'])
        batch = pseudo_collate([dataset[0], dataset[1]])
        assert len(batch['inputs']) == len(batch['data_samples']) == 2

    def test_training_reads_no_mask(self, own_root):
        """With the masks gone, or not even images, training goes on."""
        np.random.seed(0)
        before = demo(own_root)[3]
        for mask in (own_root / 'SegmentationClass').iterdir():
            mask.write_bytes(b'not an image')
        np.random.seed(0)
        after = demo(own_root)[3]
        shutil.rmtree(own_root / 'SegmentationClass')
        np.random.seed(0)
        gone = demo(own_root)[3]
        for sample in (after, gone):
            assert np.array_equal(before['inputs'], sample['inputs'])
            assert 'gt_sem_seg' not in sample['data_samples']
        with pytest.raises(FileNotFoundError, match="'train_00000'.*Segment"):
            demo(own_root, with_masks=True)
        assert 'seg_map_path' not in demo(
            own_root, with_masks='available').get_data_info(0)

    def test_with_masks(self, voc_root):
        pipeline = [
            dict(type='LoadPILImage'),
            dict(type='LoadMask'),
            dict(type='PackWeakInputs')
        ]
        dataset = demo(
            voc_root, with_masks=True, test_mode=True, pipeline=pipeline)
        for i in range(len(dataset)):
            sample = dataset[i]['data_samples']
            shown = np.unique(sample.gt_sem_seg.data)
            assert np.array_equal(shown[shown > 0],
                                  np.flatnonzero(sample.tags)[1:])

    def test_missing_image(self, own_root):
        (own_root / 'JPEGImages' / 'train_00004.jpg').unlink()
        with pytest.raises(
                FileNotFoundError,
                match="'train_00004'.*JPEGImages/train_00004.jpg"):
            demo(own_root)

    def rewrite(self, root, **changes):
        path = root / 'image_labels.json'
        table = json.loads(path.read_text())
        table.update(changes)
        path.write_text(json.dumps(
            {k: v for k, v in table.items() if v is not None}))

    def test_image_without_tags(self, own_root):
        self.rewrite(own_root, train_00003=[])
        with pytest.raises(ValueError, match="'train_00003' has no tags"):
            demo(own_root)
        labels = table_of(demo(own_root, allow_empty=True))
        assert labels['train_00003'] == [1, 0, 0, 0, 0, 0, 0]
        kept = demo(
            own_root,
            allow_empty=True,
            filter_cfg=dict(filter_empty_gt=True))
        assert len(kept) == 7 and 'train_00003' not in table_of(kept)

    def test_no_tags_at_all_leaves_nothing_for_seeds(self, own_root):
        self.rewrite(own_root, **{f'train_{i:05d}': [] for i in range(8)})
        with pytest.raises(ValueError, match='no image of .*train.txt'):
            demo(
                own_root,
                allow_empty=True,
                filter_cfg=dict(filter_empty_gt=True))

    def test_image_not_in_table(self, own_root):
        self.rewrite(own_root, train_00005=None)
        with pytest.raises(ValueError, match="'train_00005' is not listed"):
            demo(own_root)
        with pytest.raises(ValueError, match="'train_00005' has no tags"):
            demo(own_root, on_missing_labels='empty')
        dataset = demo(
            own_root, on_missing_labels='empty', allow_empty=True)
        assert table_of(dataset)['train_00005'] == [1, 0, 0, 0, 0, 0, 0]
        dataset = demo(own_root, on_missing_labels='no_filter')
        assert 'tags' not in dataset.get_data_info(5)
        assert 'tags' in dataset.get_data_info(4)

    def test_no_labels_in_test_mode(self, voc_root):
        dataset = demo(voc_root, label_file='', test_mode=True)
        assert 'tags' not in dataset[0]['data_samples']
        with pytest.raises(ValueError, match='training needs image labels'):
            demo(voc_root, label_file='')

    def test_some_of_the_classes(self, voc_root):
        full = table_of(demo(voc_root))
        dataset = demo(
            voc_root,
            classes=['moth', 'bee'],
            allow_empty=True,
            with_masks=True,
            pipeline=[dict(type='LoadPILImage'),
                      dict(type='LoadMask')])
        assert dataset.metainfo['classes'] == ('background', 'moth', 'bee')
        for image_id, labels in table_of(dataset).items():
            assert labels == [1, full[image_id][5], full[image_id][2]]
        for i in range(len(dataset)):
            labels = dataset.get_data_info(i)['tags']
            shown = set(np.unique(dataset[i]['gt_seg_map'])) - {0, 255}
            assert shown == set(np.flatnonzero(labels)) - {0}

    def test_classes_from_file(self, voc_root):
        dataset = demo(voc_root, classes='classes.txt')
        assert dataset.metainfo['classes'] == WeakDemoDataset.METAINFO['classes']

    @pytest.mark.parametrize('kwargs', [
        dict(with_masks='maybe'),
        dict(on_missing_labels='ignore'),
    ])
    def test_bad_arguments(self, voc_root, kwargs):
        with pytest.raises(ValueError, match=next(iter(kwargs))):
            demo(voc_root, **kwargs)


class TestVOC:

    def test_test_split(self, tmp_path):
        image(tmp_path / 'JPEGImages' / '2008_000006.jpg')
        (tmp_path / 'test.txt').write_text('2008_000006\n')
        dataset = WeakVOCDataset(
            data_root=str(tmp_path), ann_file='test.txt', test_mode=True)
        assert len(dataset.metainfo['classes']) == 21
        assert 'tags' not in dataset.get_data_info(0)
        assert isinstance(dataset, BaseWeakSegDataset)


class TestCOCO:

    def test_classes(self):
        from mmseg.datasets import COCOStuffDataset
        assert COCO_CLASSES[1:] == COCOStuffDataset.METAINFO['classes'][:80]
        palette = WeakCOCODataset.METAINFO['palette']
        assert len({tuple(colour) for colour in palette}) == 81

    def test_category_ids(self, root):
        assert list(COCO_CATEGORY_IDS) == list(COCO_CLASSES[1:])
        # Some of COCO's annotations, one on either side of each gap.
        ids = {
            'person': 1, 'fire hydrant': 11, 'stop sign': 13, 'giraffe': 25,
            'backpack': 27, 'umbrella': 28, 'handbag': 31, 'bottle': 44,
            'wine glass': 46, 'bed': 65, 'dining table': 67, 'toilet': 70,
            'tv': 72, 'refrigerator': 82, 'book': 84, 'toothbrush': 90}
        assert {name: COCO_CATEGORY_IDS[name] for name in ids} == ids
        dataset = self.dataset(root, ['9'], classes=['toothbrush'])
        assert dataset.metainfo['category_ids']['toothbrush'] == 90

    def test_number(self):
        assert coco_number('COCO_val2014_000000581929') == 581929
        assert coco_number('000000000009') == coco_number('9') == 9
        with pytest.raises(ValueError, match="'2007_x'"):
            coco_number('2007_x')

    @pytest.fixture
    def root(self, tmp_path):
        for number in (9, 25, 30):
            stem = f'COCO_train2014_{number:012d}'
            image(tmp_path / 'train2014' / f'{stem}.jpg', seed=number)
        for number in (9, 30):
            (tmp_path / 'masks').mkdir(exist_ok=True)
            Image.fromarray(np.full((8, 6), number, np.uint8)).save(
                tmp_path / 'masks' / f'{number:012d}.png')
        (tmp_path / 'labels.json').write_text(
            '{"9": ["person", "toothbrush"], "000000000025": []}')
        return tmp_path

    def dataset(self, root, ids, **kwargs):
        (root / 'list.txt').write_text('\n'.join(ids))
        return WeakCOCODataset(
            data_root=str(root),
            data_prefix=dict(img_path='train2014', seg_map_path='masks'),
            ann_file='list.txt',
            label_file='labels.json',
            **kwargs)

    @pytest.mark.parametrize('ids', [
        ['COCO_train2014_000000000009', 'COCO_train2014_000000000025'],
        ['9', '25'],
        ['000000000009', '000000000025'],
    ])
    def test_id_styles(self, root, ids):
        dataset = self.dataset(root, ids)
        labels = table_of(dataset)
        assert list(labels) == [
            'COCO_train2014_000000000009', 'COCO_train2014_000000000025'
        ]
        first, second = labels.values()
        assert len(first) == 81
        assert np.flatnonzero(first).tolist() == [0, 1, 80]
        assert np.flatnonzero(second).tolist() == [0]

    def test_masks_of_other_style(self, root):
        dataset = self.dataset(
            root, ['9', '30'], with_masks=True, on_missing_labels='empty')
        assert dataset.get_data_info(1)['seg_map_path'].endswith(
            'masks/000000000030.png')
        with pytest.raises(FileNotFoundError, match='000000000025'):
            self.dataset(root, ['25'], with_masks=True)

    def test_errors(self, root):
        with pytest.raises(FileNotFoundError, match="'77'"):
            self.dataset(root, ['9', '77'])
        with pytest.raises(ValueError, match='duplicate id .*000000000009'):
            self.dataset(root, ['9', '000000000009'])
        with pytest.raises(ValueError, match="'COCO_train2014_000000000030'"):
            self.dataset(root, ['30'])
        (root / 'labels.json').write_text('{"9": [], "009": ["person"]}')
        with pytest.raises(ValueError, match='labels.json: duplicate id 9'):
            self.dataset(root, ['9'])


def folder(root, **kwargs):
    return WeakFolderDataset(
        data_root=str(root), **{'label_file': 'tags.csv', **kwargs})


class TestFolder:

    @pytest.fixture
    def root(self, tmp_path):
        for i, name in enumerate(
            ('a.jpg', 'deep/er/b.JPEG', 'c.PNG', 'd e.webp')):
            image(tmp_path / 'photos' / name, seed=i)
        (tmp_path / 'photos' / '._a.jpg').write_bytes(b'resource fork')
        (tmp_path / 'photos' / 'notes.txt').write_text('no image')
        (tmp_path / 'tags.csv').write_text(
            'a.jpg,dog\ndeep/er/b.JPEG,cat;dog\nc.PNG,cat\nd e.webp,cat\n')
        return tmp_path

    def test_table_and_inferred_classes(self, root):
        dataset = folder(root, pipeline=PIPELINE)
        assert dataset.metainfo['classes'] == ('background', 'cat', 'dog')
        assert len(dataset.metainfo['palette']) == 3
        assert table_of(dataset) == {
            'a': [1, 0, 1],
            'c': [1, 1, 0],
            'd e': [1, 1, 0],
            'deep/er/b': [1, 1, 1]
        }
        for i in range(4):
            assert dataset[i]['inputs'].shape == (3, 48, 48)

    def test_given_classes(self, root):
        dataset = folder(root, classes=['dog', 'cat', 'cow'])
        assert dataset.metainfo['classes'] == ('background', 'dog', 'cat',
                                               'cow')
        assert table_of(dataset)['a'] == [1, 1, 0, 0]
        with pytest.raises(ValueError, match="tags.csv: image 'a'.*'dog'"):
            folder(root, classes=['cat'])

    def test_list_of_names(self, root):
        (root / 'list.txt').write_text('d e\nc.PNG\n')
        dataset = folder(root, ann_file='list.txt')
        assert list(table_of(dataset)) == ['d e', 'c']
        (root / 'list.txt').write_text('c.PNG\nnone\n')
        with pytest.raises(FileNotFoundError, match="'none'"):
            folder(root, ann_file='list.txt')

    def test_class_folders(self, tmp_path):
        for name in ('dog/1.jpg', 'dog/2.png', 'cat/1.jpg', 'cat/old/1.jpg'):
            image(tmp_path / 'photos' / name)
        dataset = WeakFolderDataset(
            data_root=str(tmp_path), class_folders=True)
        assert dataset.metainfo['classes'] == ('background', 'cat', 'dog')
        assert table_of(dataset) == {
            'cat/1': [1, 1, 0],
            'cat/old/1': [1, 1, 0],
            'dog/1': [1, 0, 1],
            'dog/2': [1, 0, 1]
        }
        with pytest.raises(ValueError, match="photos: image 'dog/1'.*'dog'"):
            WeakFolderDataset(
                data_root=str(tmp_path), class_folders=True, classes=['cat'])
        image(tmp_path / 'photos' / 'stray.jpg')
        with pytest.raises(ValueError, match="'stray' has no tags"):
            WeakFolderDataset(data_root=str(tmp_path), class_folders=True)

    def test_masks_where_there_are_some(self, root):
        (root / 'masks' / 'deep' / 'er').mkdir(parents=True)
        Image.fromarray(np.zeros((8, 6), np.uint8)).save(
            root / 'masks' / 'deep' / 'er' / 'b.png')
        dataset = folder(
            root, with_masks='available', pipeline=[
                dict(type='LoadPILImage'),
                dict(type='LoadMask', optional=True),
                dict(type='PackWeakInputs')
            ])
        scored = [
            'gt_sem_seg' in dataset[i]['data_samples'] for i in range(4)
        ]
        assert scored == [False, False, False, True]

    def test_predicting_needs_classes_only(self, root):
        dataset = WeakFolderDataset(
            data_root=str(root), classes=['cat', 'dog'], test_mode=True)
        assert 'tags' not in dataset.get_data_info(0)
        with pytest.raises(ValueError, match='classes are unknown'):
            WeakFolderDataset(data_root=str(root), test_mode=True)

    def test_errors(self, root):
        with pytest.raises(ValueError, match='not from both'):
            folder(root, class_folders=True)
        image(root / 'photos' / 'a.png')
        with pytest.raises(ValueError, match="duplicate id 'a'.*a.jpg.*a.png"):
            folder(root)
        (root / 'photos' / 'a.png').unlink()
        (root / 'photos' / 'c.PNG').unlink()
        with pytest.raises(ValueError, match="tags.csv: image 'c' has no image"):
            folder(root)
        shutil.rmtree(root / 'photos')
        with pytest.raises(FileNotFoundError, match='photos'):
            folder(root)
        (root / 'photos').mkdir()
        with pytest.raises(ValueError, match='photos holds no image'):
            folder(root)


def test_voc_palette():
    assert voc_palette(21) == PascalVOCDataset.METAINFO['palette']


class TestClassesOfEitherArgument:
    """What holds for ``classes`` holds for ``metainfo['classes']``."""

    @pytest.fixture
    def root(self, tmp_path):
        for name in ('cat/1', 'dog/1'):
            image(tmp_path / 'photos' / f'{name}.png')
        (tmp_path / 'classes.txt').write_text('cat\ndog\n')
        return tmp_path

    def build(self, root, way, classes, **kwargs):
        given = dict(classes=classes) if way == 'classes' else dict(
            metainfo=dict(classes=classes))
        return WeakFolderDataset(
            data_root=str(root), **{'class_folders': True, **given, **kwargs})

    @pytest.mark.parametrize('way', ['classes', 'metainfo'])
    @pytest.mark.parametrize('classes, said', [
        (['cat', 'background', 'dog'], "'background' is class 2"),
        (['cat', None], 'the name None at position 1'),
        ([f'c{i}' for i in range(255)], '8 bits'),
        (['cat'], "image 'dog/1': unknown class 'dog'"),
        ('nosuch.txt', 'nosuch.txt does not exist'),
    ])
    def test_refused(self, root, way, classes, said):
        with pytest.raises((ValueError, FileNotFoundError), match=said):
            self.build(root, way, classes)

    @pytest.mark.parametrize('way', ['classes', 'metainfo'])
    @pytest.mark.parametrize('classes', [
        ['cat', 'dog'], ['background', 'cat', 'dog'], ('Background', 'cat', 'dog'),
        'classes.txt'])
    def test_read_alike(self, root, way, classes):
        dataset = self.build(root, way, classes)
        assert dataset.metainfo['classes'] == ('background', 'cat', 'dog')
        assert dataset.metainfo['palette'] == voc_palette(3)
        assert table_of(dataset) == {'cat/1': [1, 1, 0], 'dog/1': [1, 0, 1]}

    def test_error_of_folders_names_the_folder(self, root):
        image(root / 'photos' / 'lone.png')
        with pytest.raises(ValueError, match="'lone' has no tags in .*photos;"):
            self.build(root, 'metainfo', ['cat', 'dog'])
