# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Training from shards equals training from files, and resumes like it."""

import pytest
from image_shards import demo_rows, write_shards
from method_training import esol_config, method_config, shrink
from mmengine.config import Config
from mmengine.dist import get_rank
from mmengine.runner import Runner
from tiny_training import assert_continued, in_two_processes, train

from mmwsss.datasets.image_ids import image_ids
from mmwsss.engine import setup_entry_point
from mmwsss.utils import project_path, read_config

pytest.importorskip('pyarrow')
DATASETS = project_path('configs', '_base_', 'datasets')


@pytest.fixture
def shards(voc_root, tmp_path):
    """The scenes as the configs of shards expect them."""
    root = tmp_path / 'shards'
    rows = demo_rows(voc_root, with_masks=True)
    masks = [type(row)(row.id, mask=row.mask) for row in reversed(rows)]
    write_shards(root / 'photos', demo_rows(voc_root), 'tar')
    write_shards(root / 'pseudo_labels', masks)
    write_shards(root / 'val', demo_rows(voc_root, 'val', with_masks=True))
    (root / 'classes.txt').write_text((voc_root / 'classes.txt').read_text())
    return root


def cam_config(root, work_dir, kind='demo_weak', **options):
    """CAM, with hardly any channels."""
    return from_config('cam/cam_demo', root, work_dir, kind, **{
        'model.backbone.base_channels': 8, 'model.decode_head.in_channels': 32,
        **options})


def fcn_config(root, work_dir, kind='demo_pseudo', **options):
    """DeepLab, with hardly any channels."""
    return from_config('deeplab/deeplabv2_demo', root, work_dir, kind, **{
        'model.backbone.base_channels': 4, 'model.decode_head.in_channels': 16,
        **options})


def from_config(name, root, work_dir, kind, **options):
    cfg = read_config(project_path('configs', *f'{name}.py'.split('/')))
    data = Config.fromfile(f'{DATASETS}/{kind}.py')
    for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        pipeline = cfg[loader].dataset.pipeline
        cfg[loader] = data[loader]
        cfg[loader].dataset.pipeline = pipeline
    if kind == 'demo_pseudo':
        options['train_dataloader.dataset.data_prefix.seg_map_path'] = (
            'SegmentationClass')
    cfg.val_evaluator = data.val_evaluator
    return shrink(cfg, root, work_dir, 2, **options)


@pytest.mark.parametrize('config', [cam_config, fcn_config])
def test_training_from_shards_equals_files(voc_root, shards, tmp_path, config):
    kind = 'shards_weak' if config is cam_config else 'shards_pseudo'
    files = train(config(voc_root, tmp_path / 'files'))
    same = train(config(shards, tmp_path / 'same', kind, **{
        'train_dataloader.sampler': dict(
            _delete_=True, type='ReproducibleInfiniteSampler')}))
    assert_continued(same, files, 0)
    # In the order of shards, with workers, and again from the third iteration on.
    shuffled = {'train_dataloader.sampler.buffer_size': 3}
    unbroken = train(config(shards, tmp_path / 'unbroken', kind, **shuffled))
    assert unbroken[1].losses != files[1].losses
    resumed = train(config(shards, tmp_path / 'resumed', kind, **{
        **shuffled, 'train_dataloader.num_workers': 2, 'resume': True,
        'load_from': str(tmp_path / 'unbroken' / 'iter_2.pth')}))
    assert_continued(resumed, unbroken, 2)


@pytest.mark.parametrize('method, dataset', [
    ('esol', dict(with_tags=True)),
    ('irn', dict(with_tags=False, with_masks=True)),
    ('sance', dict(with_tags=True, with_masks=True)),
    ('single_stage', dict(with_tags=True))])
def test_other_methods_resume_amid_a_stage(
        voc_root, shards, tmp_path, method, dataset):
    """From tags, from masks and from both."""
    prefix = dict(img_path='photos')
    if 'with_masks' in dataset:
        prefix['seg_map_path'] = 'pseudo_labels'

    def run(folder, **options):
        if method == 'esol':
            cfg = esol_config(voc_root, tmp_path / folder, 2, **options)
            cfg.val_dataloader = cfg.val_evaluator = cfg.val_cfg = None
        else:
            if method == 'sance':
                options['model.refine_by'] = 'crf'
            cfg = method_config(f'{method}/{method}_demo', voc_root,
                                tmp_path / folder, 2, **options)
        loader = cfg.train_dataloader
        loader.sampler = dict(type='BlockShuffleSampler', buffer_size=3)
        loader.dataset = dict(
            dataset, type='WeakShardDataset', data_root=str(shards),
            data_prefix=prefix, classes='classes.txt', pipeline=[
                step for step in loader.dataset.pipeline
                if step['type'] != 'LoadSaliency'])
        return train(cfg)

    whole = run('whole')
    resumed = run('resumed', resume=True,
                  load_from=str(tmp_path / 'whole' / 'iter_3.pth'))
    assert_continued(resumed, whole, 3)


def test_scores_on_shards(shards, tmp_path):
    cfg = fcn_config(shards, tmp_path / 'work', 'shards_pseudo', validate=True, **{
        'train_cfg.val_interval': 4})
    runner, _ = train(cfg)
    assert 0 <= runner.message_hub.get_scalar('val/mask/mIoU').current() <= 100


def test_images_of_shards_have_the_ids_of_files(shards, voc_root):
    """What writes a file for each image calls it by them."""
    cfg = Config.fromfile(f'{DATASETS}/shards_weak.py')
    loader = dict(cfg.seed_dataloader, dataset=dict(
        cfg.seed_dataloader.dataset, data_root=str(shards)))
    loader.update(num_workers=0, persistent_workers=False)
    loader = Runner.build_dataloader(loader)
    names = image_ids(loader.dataset)
    rows = demo_rows(voc_root)
    assert list(names.values()) == [row.id for row in rows]
    for batch, row in zip(loader, rows, strict=True):
        sample, = {views[0].img_path for views in batch['data_samples']}
        assert names[sample] == row.id and len(batch['inputs']) == 8


@pytest.mark.parametrize('start', [0, 2])
def test_processes_and_workers_share_an_epoch(voc_root, shards, tmp_path, start):
    """From the middle on, the rest."""
    def seen(cfg, launcher, count):
        setup_entry_point(cfg, launcher)
        loader = Runner.build_dataloader(cfg.train_dataloader, seed=3)
        loader.sampler.skip(start if launcher == 'pytorch' else 0)
        ids = []
        for batch in loader:
            ids += [sample.img_id for sample in batch['data_samples']]
            if len(ids) == count:
                return ids

    def config(folder, batch_size):
        return cam_config(shards, tmp_path / folder, 'shards_weak', **{
            'train_dataloader.num_workers': 2,
            'train_dataloader.batch_size': batch_size,
            'train_dataloader.sampler.buffer_size': 4})

    def run():
        ids = seen(config('two', 1), 'pytorch', 4 - start)
        (tmp_path / f'seen_{get_rank()}').write_text('\n'.join(ids))

    in_two_processes(run)
    parts = [(tmp_path / f'seen_{rank}').read_text().split() for rank in (0, 1)]
    together = [i for step in zip(*parts, strict=True) for i in step]
    order = seen(config('one', 2), 'none', 8)
    assert sorted(order) == sorted(row.id for row in demo_rows(voc_root))
    assert together == order[2 * start:]
