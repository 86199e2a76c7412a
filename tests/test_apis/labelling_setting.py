# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""A tiny CAM model with random weights, and photos with tags for it."""

import torch
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS

from mmwsss.shards import ShardRow, open_shards
from mmwsss.utils import read_config, read_json

CONFIG = """
custom_imports = dict(imports=['mmwsss'], allow_failed_imports=False)
default_scope = 'mmseg'
log_level = 'WARNING'
model = dict(
    type='WeakSegmentor',
    data_preprocessor=dict(
        type='SegDataPreProcessor', mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375], bgr_to_rgb=True, size=(64, 64)),
    backbone=dict(
        type='ResNet', depth=18, base_channels=4, num_stages=2,
        out_indices=(0, 1), strides=(1, 2), dilations=(1, 1)),
    decode_head=dict(type='CAMHead', in_channels=8, num_classes=7),
    train_cfg=dict(), test_cfg=dict(mode='whole'))
tta_model = dict(type='CAMTTAModel')
tta_pipeline = [
    dict(type='LoadPILImage'),
    dict(type='TestTimeAug', transforms=[
        [dict(type='PILRescale', scale=s) for s in (1, .5)],
        [dict(type='RandomFlip', prob=p) for p in (0., 1.)],
        [dict(type='PackWeakInputs')]])]
seed_dataloader = dict(
    batch_size=1, num_workers=0, dataset=dict(
        type='WeakDemoDataset', data_root={root!r},
        data_prefix=dict(img_path='JPEGImages'),
        ann_file='ImageSets/Segmentation/train.txt',
        label_file='image_labels.json', test_mode=True, pipeline=tta_pipeline),
    sampler=dict(type='DefaultSampler', shuffle=False))
"""


def make_setting(folder, voc_root):
    """Write a config, a checkpoint and a list of photos.

    Args:
        folder (Path): Where to.
        voc_root (Path): Photos in VOC's layout.
    """
    config = folder / 'config.py'
    config.write_text(CONFIG.format(root=str(voc_root)))
    torch.manual_seed(0)
    init_default_scope('mmseg')
    model = MODELS.build(read_config(str(config)).model)
    checkpoint = folder / 'model.pth'
    torch.save(dict(state_dict=model.state_dict(), meta={}), checkpoint)
    ids = (voc_root / 'ImageSets/Segmentation/train.txt').read_text().split()
    photos = folder / 'photos.txt'
    photos.write_text(
        ''.join(f'{voc_root}/JPEGImages/{name}.jpg\n' for name in ids))
    table = voc_root / 'image_labels.json'
    return dict(config=str(config), checkpoint=str(checkpoint), ids=ids,
                inputs=str(photos), tags=str(table), names=read_json(str(table)),
                root=voc_root)


def photo_rows(setting, with_image=True, number=None):
    """The photos as rows of a shard."""
    rows = []
    for name in setting['ids'][:number]:
        path = setting['root'] / 'JPEGImages' / f'{name}.jpg'
        rows.append(ShardRow(
            name, image=path.read_bytes() if with_image else None,
            path=None if with_image else str(path), tags=setting['names'][name]))
    return rows


def rows_of(folder):
    """All rows of a folder of shards, by id; each id once."""
    rows = [row for shard in open_shards(str(folder)) for row in shard.rows()]
    by_id = {row.id: row for row in rows}
    assert len(by_id) == len(rows)
    return by_id
