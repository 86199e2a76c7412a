# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""A tiny CAM model with random weights, and images with tags for it."""

import torch
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from tiny_cam import CONFIG

from mmwsss.shards import ShardRow, open_shards
from mmwsss.utils import read_config, read_json


def make_setting(folder, voc_root):
    """Write a config, a checkpoint and a list of images.

    Args:
        folder (Path): Where to.
        voc_root (Path): Images in VOC's layout.
    """
    config = folder / 'config.py'
    config.write_text(CONFIG.format(root=str(voc_root)))
    torch.manual_seed(0)
    init_default_scope('mmseg')
    model = MODELS.build(read_config(str(config)).model)
    checkpoint = folder / 'model.pth'
    torch.save(dict(state_dict=model.state_dict(), meta={}), checkpoint)
    ids = (voc_root / 'ImageSets/Segmentation/train.txt').read_text().split()
    images = folder / 'photos.txt'
    images.write_text(
        ''.join(f'{voc_root}/JPEGImages/{name}.jpg\n' for name in ids))
    table = voc_root / 'image_labels.json'
    return dict(config=str(config), checkpoint=str(checkpoint), ids=ids,
                inputs=str(images), tags=str(table), names=read_json(str(table)),
                root=voc_root)


def image_rows(setting, with_image=True, number=None):
    """The images as rows of a shard."""
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
