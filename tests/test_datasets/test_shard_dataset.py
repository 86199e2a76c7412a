# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import io
import pickle
import random
from dataclasses import replace

import numpy as np
import pytest
import torch
from image_shards import demo_rows, write_shards
from mmseg.registry import DATASETS
from PIL import Image
from torch.utils.data import DataLoader

pytest.importorskip('pyarrow')

from mmwsss.datasets.transforms.seeding import SamplePosition  # noqa: E402
from mmwsss.shards import (  # noqa: E402
    ParquetShard,
    RowReader,
    ShardRow,
    open_shards,
    write_parquet,
    write_tar,
)
from mmwsss.utils import project_path, read_config  # noqa: E402

PIPELINE = [dict(type='LoadPILImage'), dict(type='LoadMask', optional=True),
            dict(type='PackWeakInputs')]


def build(voc_root, folder, **options):
    options = dict(dict(
        data_prefix=dict(img_path=str(folder)), pipeline=PIPELINE,
        classes=str(voc_root / 'classes.txt')), **options)
    return DATASETS.build(dict(type='WeakShardDataset', **options))


def assert_same(one, other):
    assert torch.equal(one['inputs'], other['inputs'])
    one, other = one['data_samples'], other['data_samples']
    assert np.array_equal(one.tags, other.tags)
    assert one.img_id == other.img_id and one.ori_shape == other.ori_shape
    assert ('gt_sem_seg' in one) == ('gt_sem_seg' in other)
    if 'gt_sem_seg' in one:
        assert torch.equal(one.gt_sem_seg.data, other.gt_sem_seg.data)


@pytest.mark.parametrize('kind', ['parquet', 'tar'])
@pytest.mark.parametrize('with_masks', [False, True])
def test_samples_are_those_of_files(voc_root, tmp_path, kind, with_masks):
    rows = demo_rows(voc_root, with_masks=with_masks)
    shards = build(voc_root, write_shards(tmp_path / 'photos', rows, kind),
                   with_masks=with_masks)
    files = DATASETS.build(dict(
        type='WeakDemoDataset', data_root=str(voc_root), pipeline=PIPELINE,
        label_file='image_labels.json', with_masks=with_masks,
        ann_file='ImageSets/Segmentation/train.txt'))
    assert len(shards) == len(files) == 8
    for i in range(8):
        assert_same(shards[i], files[i])
        assert shards.get_cat_ids(i) == files.get_cat_ids(i)
    assert shards.metainfo['classes'] == files.metainfo['classes']
    assert shards.block_starts.tolist() == [0, 3, 6, 8]
    assert shards[-1]['data_samples'].img_id == rows[-1].id
    info = shards.get_data_info(4)
    assert 'img_bytes' not in info and info['sample_idx'] == 4
    assert info['img_path'].endswith(f'001.{kind}: {rows[4].id}')


def test_images_may_lie_beside_their_list(voc_root, tmp_path):
    rows = [replace(row, image=None,
                    path=str(voc_root / 'JPEGImages' / f'{row.id}.jpg'))
            for row in demo_rows(voc_root)]
    listed = build(voc_root, write_shards(tmp_path / 'list', rows))
    inside = build(voc_root, write_shards(tmp_path / 'rows', demo_rows(voc_root)))
    assert_same(listed[5], inside[5])


def test_opening_reads_no_image(voc_root, tmp_path, monkeypatch):
    folder = write_shards(tmp_path / 'photos', demo_rows(voc_root))
    monkeypatch.setattr(ParquetShard, 'rows', None)
    dataset = build(voc_root, folder)
    assert len(dataset) == 8
    held = [value for value in vars(dataset).values() if isinstance(value, list)]
    assert not any(held), 'nothing is held for each row'


@pytest.mark.parametrize('kind', ['parquet', 'tar'])
def test_masks_are_found_by_id(voc_root, tmp_path, kind):
    rows = demo_rows(voc_root, with_masks=True)
    classes = (voc_root / 'classes.txt').read_text().split()
    masks = [ShardRow(row.id, mask=row.mask) for row in rows]
    random.Random(1).shuffle(masks)
    images = write_shards(tmp_path / 'photos', demo_rows(voc_root), 'tar')
    prefix = dict(img_path=images, seg_map_path=write_shards(
        tmp_path / 'masks', masks, kind, 4, classes))
    # The classes are those that the masks name.
    both = build(voc_root, '', data_prefix=prefix, with_masks=True, classes=None)
    whole = build(voc_root, write_shards(tmp_path / 'whole', rows), with_masks=True)
    for i in range(8):
        assert_same(both[i], whole[i])

    masks.remove(next(mask for mask in masks if mask.id == rows[2].id))
    prefix['seg_map_path'] = write_shards(tmp_path / 'some', masks, kind)
    with pytest.raises(FileNotFoundError, match=f"1 of 8 .* first is '{rows[2].id}"):
        build(voc_root, '', data_prefix=prefix, with_masks=True)
    some = build(voc_root, '', data_prefix=prefix, with_masks=True,
                 on_missing_masks='skip')
    assert [some.get_data_info(i)['img_id'] for i in range(len(some))] == [
        row.id for row in rows if row is not rows[2]]
    assert_same(some[2], whole[3])
    assert some.block_starts.tolist() == [0, 2, 5, 7]
    every = build(voc_root, '', data_prefix=prefix, with_masks='available')
    assert len(every) == 8 and 'gt_sem_seg' not in every[2]['data_samples']
    assert_same(every[3], whole[3])


def test_wrong_masks(voc_root, tmp_path):
    rows = demo_rows(voc_root)
    images = write_shards(tmp_path / 'photos', rows)

    def build_with(name, masks, **options):
        prefix = dict(img_path=images, seg_map_path=write_shards(
            tmp_path / name, masks, size=4, **options))
        return build(voc_root, '', data_prefix=prefix, with_masks=True,
                     on_missing_masks='skip')

    whole = demo_rows(voc_root, with_masks=True)
    with pytest.raises(ValueError, match=f"more than one mask of '{rows[0].id}"):
        build_with('twice', whole + whole[:1])
    with pytest.raises(ValueError, match='parquet holds masks of the classes a, b'):
        build_with('others', whole, classes=['a', 'b'])
    small, ids = io.BytesIO(), io.BytesIO()
    Image.new('L', (3, 2)).save(small, 'PNG')
    Image.new('L', (64, 64), 77).save(ids, 'PNG')
    wrong = build_with('wrong', [ShardRow(rows[0].id, mask=small.getvalue()),
                                 ShardRow(rows[1].id, mask=ids.getvalue()),
                                 ShardRow(rows[2].id, mask=b'\x89PNG')])
    for i, said in enumerate(['is 3x2 .* expected 64x64', 'the id 77', 'none of']):
        with pytest.raises(ValueError, match=f'parquet: mask of {rows[i].id}.*{said}'):
            wrong[i]
    alone = build(voc_root, images, with_masks=True)
    with pytest.raises(FileNotFoundError, match=f'parquet: {rows[0].id} has no mask'):
        alone[0]


@pytest.mark.parametrize('kind', ['parquet', 'tar'])
def test_tags(voc_root, tmp_path, kind):
    rows = demo_rows(voc_root)
    rows[1].tags, rows[4].tags = [], None
    folder = write_shards(tmp_path / 'photos', rows, kind)
    dataset = build(voc_root, folder)
    with pytest.raises(ValueError, match=f'000.{kind}: {rows[1].id} has no tags'):
        dataset[1]
    with pytest.raises(ValueError, match=f'001.{kind}: {rows[4].id} has no entry of'):
        dataset[4]
    lenient = build(voc_root, folder, allow_empty=True, on_missing_labels='no_filter')
    assert lenient[1]['data_samples'].tags[1:].sum() == 0
    assert 'tags' not in lenient[4]['data_samples']
    tagged = build(voc_root, folder, filter_cfg=dict(filter_empty_gt=True))
    assert len(tagged) == 6 and tagged.block_starts.tolist() == [0, 2, 4, 6]
    first = build(voc_root, folder, indices=2, with_tags=False)
    last = build(voc_root, folder, indices=[-1, 3], with_tags=False)
    assert [d.get_data_info(i)['img_id'] for d in (first, last) for i in (0, 1)] == [
        rows[0].id, rows[1].id, rows[3].id, rows[7].id]
    untagged = build(voc_root, folder, with_tags=False)
    assert 'tags' not in untagged[0]['data_samples']
    tested = build(voc_root, folder, allow_empty=True, test_mode=True)
    assert 'tags' not in tested[4]['data_samples']
    rows[2].tags = ['dragon']
    folder = write_shards(tmp_path / 'others', rows, kind)
    with pytest.raises(ValueError, match=f"000.{kind}.*unknown class 'dragon'"):
        build(voc_root, folder)[2]


def test_images_are_read_as_strictly_as_files(voc_root, tmp_path):
    rows = demo_rows(voc_root)
    turned, exif = io.BytesIO(), Image.Exif()
    exif[0x112] = 6  # turned by a quarter
    Image.new('RGB', (30, 20), 'red').save(turned, 'JPEG', exif=exif)
    rows[0].image, rows[1].image = turned.getvalue(), rows[1].image[:-500]
    rows[2].image = b''
    dataset = build(voc_root, write_shards(tmp_path / 'photos', rows))
    assert dataset[0]['inputs'].shape == (3, 30, 20)
    with pytest.raises(ValueError, match=f'000.parquet: {rows[1].id}.*truncated'):
        dataset[1]
    with pytest.raises(ValueError, match=f'000.parquet: {rows[2].id} is empty'):
        dataset[2]
    small = build(voc_root, tmp_path / 'photos',
                  pipeline=[dict(type='LoadPILImage', max_pixels=1000)])
    with pytest.raises(ValueError, match=f'{rows[3].id}.*more than max_pixels=1000'):
        small[3]


def test_wrong_arguments(voc_root, tmp_path):
    folder = write_shards(tmp_path / 'photos', demo_rows(voc_root))
    with pytest.raises(ValueError, match='takes no ann_file: shards hold the list'):
        build(voc_root, folder, ann_file='train.txt')
    with pytest.raises(ValueError, match="on_missing_masks as 'error' or 'skip'"):
        build(voc_root, folder, on_missing_masks='empty')
    bare = tmp_path / 'bare.parquet'
    write_parquet(str(bare), demo_rows(voc_root), columns=['id', 'image'])
    with pytest.raises(ValueError, match='bare.parquet has no column of tags; `with_'):
        build(voc_root, bare)
    tested = build(voc_root, bare, test_mode=True)[0]
    assert 'tags' not in tested['data_samples']
    with pytest.raises(ValueError, match='photos does not name its classes: give'):
        build(voc_root, folder, classes=None)
    with pytest.raises(FileNotFoundError, match='nowhere'):
        build(voc_root, tmp_path / 'nowhere')
    rows = [replace(row, tags=[]) for row in demo_rows(voc_root)]
    with pytest.raises(ValueError, match='bare holds no photo to take'):
        build(voc_root, write_shards(tmp_path / 'bare', rows),
              filter_cfg=dict(filter_empty_gt=True))


@pytest.mark.parametrize('kind', ['parquet', 'tar'])
def test_rows_in_any_order(tmp_path, kind):
    rows = [ShardRow(f'{i:03d}', bytes([i % 251]) * (1 + 40000 * (i % 3)))
            for i in range(500)]
    write = write_parquet if kind == 'parquet' else write_tar
    for number, (first, last) in enumerate([(0, 300), (300, 301), (301, 500)]):
        write(str(tmp_path / f'{number}.{kind}'), rows[first:last])
    shards = open_shards(str(tmp_path))
    reader = RowReader(shards, cache_bytes=3_000_000)
    assert len(reader) == 500 and reader.shard_sizes() == [300, 1, 199]
    assert reader.starts[0] == 0 and {300, 301, 500} <= set(reader.starts.tolist())
    assert np.diff(reader.starts).max() <= 256
    order = random.Random(0).sample(range(500), 120)
    for row in [*order, 299, 300, 301, 499]:
        found = reader[row]
        assert (found.id, found.image) == (rows[row].id, rows[row].image)
        assert reader.location(row).endswith(
            f'{(row >= 300) + (row >= 301)}.{kind}')
    assert 0 < reader._bytes == sum(b for _, b in reader._blocks.values()) <= 6_000_000
    same = pickle.loads(pickle.dumps(reader))
    assert same[499].id == '499'
    with pytest.raises(IndexError, match='there are 500 rows, not 500'):
        reader[500]
    write(str(tmp_path / f'0.{kind}'), rows[:2])
    with pytest.raises(ValueError, match='has changed since it was opened'):
        RowReader.__getitem__(pickle.loads(pickle.dumps(reader)), 280)


@pytest.mark.parametrize('kind', ['parquet', 'tar'])
def test_workers_have_files_of_their_own(voc_root, tmp_path, kind):
    rows = demo_rows(voc_root) * 40
    rows = [replace(row, id=f'{i}_{row.id}') for i, row in enumerate(rows)]
    dataset = build(voc_root, write_shards(tmp_path / 'photos', rows, kind, 160),
                    cache_bytes=0)
    expected = {rows[i].id: dataset[i]['inputs'] for i in (0, 319)}  # opens both
    loader = DataLoader(dataset, 8, shuffle=True, num_workers=2,
                        multiprocessing_context='fork', collate_fn=list)
    seen = {sample['data_samples'].img_id: sample['inputs']
            for batch in loader for sample in batch}
    assert sorted(seen) == sorted(row.id for row in rows)
    for image_id, image in expected.items():
        assert torch.equal(seen[image_id], image)


@pytest.mark.parametrize('stage', [
    'weak', 'pseudo', 'pseudo_448', 'affinity', 'boundary', 'voc_sance',
    'single_stage'])
def test_every_stage_takes_shards(voc_root, tmp_path, stage):
    """The pipeline of its training, the same as from files."""
    config = project_path('configs', '_base_', 'datasets', f'{stage}.py')
    loader = read_config(config).train_dataloader
    options = dict(pipeline=loader.dataset.pipeline, with_masks=True)
    rows = demo_rows(voc_root, with_masks=True)
    shards = build(voc_root, write_shards(tmp_path / 'photos', rows), **options)
    files = DATASETS.build(dict(
        type='WeakDemoDataset', data_root=str(voc_root), **options,
        label_file='image_labels.json', ann_file='ImageSets/Segmentation/train.txt'))
    index = SamplePosition(3, position=17, seed=5)
    assert torch.equal(*(views(dataset[index]) for dataset in (shards, files)))


def views(sample):
    inputs = sample['inputs']
    return torch.stack(inputs) if isinstance(inputs, list) else inputs


def test_masks_in_the_rows_of_a_config(voc_root, tmp_path):
    """What label_photos writes with images or their paths is a whole data set."""
    rows = demo_rows(voc_root, with_masks=True)
    for row in rows:
        row.image, row.path = None, str(voc_root / 'JPEGImages' / f'{row.id}.jpg')
    write_shards(tmp_path / 'labels', rows)
    (tmp_path / 'classes.txt').write_text((voc_root / 'classes.txt').read_text())
    cfg = read_config(
        project_path('configs', '_base_', 'datasets', 'shards_pseudo.py'), {
            'data_root': str(tmp_path),
            'train_dataloader.dataset.data_prefix': dict(
                img_path='labels', seg_map_path='')})
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    assert len(dataset) == 8
    sample = dataset[SamplePosition(0, position=0, seed=1)]
    assert sample['data_samples'].gt_sem_seg.data.shape[-2:] == cfg.crop_size
