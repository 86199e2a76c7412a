# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Scenes of the demo in shards."""

from mmwsss.shards import ShardMeta, ShardRow, write_parquet, write_tar
from mmwsss.structures import read_label_names


def demo_rows(voc_root, split='train', with_masks=False):
    """The scenes of a split as rows, in the order of its list."""
    tags = read_label_names(str(voc_root / 'image_labels.json'))
    lines = voc_root / 'ImageSets' / 'Segmentation' / f'{split}.txt'
    rows = []
    for image_id in lines.read_text().split():
        row = ShardRow(
            image_id, (voc_root / 'JPEGImages' / f'{image_id}.jpg').read_bytes(),
            tags=list(tags[image_id]))
        if with_masks:
            row.mask = (voc_root / 'SegmentationClass' / f'{image_id}.png').read_bytes()
        rows.append(row)
    return rows


def write_shards(folder, rows, kind='parquet', size=3, classes=()):
    """Write rows as shards of ``size`` rows; the folder's path."""
    folder.mkdir(parents=True, exist_ok=True)
    write = write_parquet if kind == 'parquet' else write_tar
    for number, first in enumerate(range(0, len(rows), size)):
        write(str(folder / f'{number:03d}.{kind}'), rows[first:first + size],
              ShardMeta(list(classes)))
    return str(folder)
