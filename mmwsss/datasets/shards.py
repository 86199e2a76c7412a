# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Images, tags and masks of shards."""

import logging
from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import Any

import numpy as np
from mmengine.logging import print_log
from mmseg.registry import DATASETS

from mmwsss.shards import RowReader, Shard, ShardRow, load_image_bytes, open_shards
from mmwsss.shards.files import join, require
from mmwsss.structures import encode_tags
from mmwsss.utils import naming

from .base import BaseWeakSegDataset
from .image_io import voc_palette


@DATASETS.register_module()
class WeakShardDataset(BaseWeakSegDataset):
    """Images with tags, and masks, in shards: Parquet, or tars of WebDataset.

    Opening reads the footers of Parquet (and its column of tags) or the headers of
    tars, and keeps two numbers for each block of rows, so a million images are
    opened in seconds. An image comes with its block, a few MB, see
    :class:`mmwsss.shards.RowReader`; :class:`~mmwsss.engine.runner.BlockShuffleSampler`
    asks for images in an order in which blocks are read once.

    Samples are those of :class:`BaseWeakSegDataset`; instead of being paths,
    ``img_path`` and ``seg_map_path`` name shard and id for errors, and
    ``img_bytes`` and ``mask_bytes`` hold what :class:`LoadPILImage` and
    :class:`LoadMask` decode.

    Args:
        data_prefix (dict): Of images (``img_path``) and masks (``seg_map_path``):
            the path or URL of a folder of shards or of one shard. Where masks are
            asked for and have no shards, they are those of the images' rows. Masks
            belong to the images with the same id, in any order. Defaults to
            ``dict(img_path='photos')``.
        with_tags (bool): Whether to read tags; in a test run, images without an
            entry of tags pass. Defaults to True.
        on_missing_masks (str): What to do with an image that is not in the shards of
            masks: ``'error'``, or ``'skip'``: leave it out, and say how many there
            are. Where ``with_masks='available'``, it comes without. Defaults to
            ``'error'``.
        cache_bytes (int): Encoded images, and as much of masks, that each process
            and worker keeps. Defaults to 256 MiB.
        classes (Sequence[str] | str, optional): As in :class:`BaseWeakSegDataset`.
            Defaults to None: those that the shards name.
        filter_cfg (dict, optional): ``filter_empty_gt`` leaves out images without
            tags.
        **kwargs: As in :class:`BaseWeakSegDataset`; there is no ``ann_file`` and no
            ``label_file``.

    Raises:
        FileNotFoundError: If there are no such shards, or naming an id without mask.
        ValueError: Naming the shard, and the id or the tag, if a shard is damaged,
            a tag is no class, an image has no tags, or an id is twice in the masks.
    """

    data_prefix: dict[str, str]
    _fully_initialized: bool

    def __init__(self,
                 data_prefix: dict | None = None,
                 with_tags: bool = True,
                 on_missing_masks: str = 'error',
                 cache_bytes: int = 256 << 20,
                 classes: Sequence[str] | str | None = None,
                 data_root: str | None = None,
                 metainfo: dict | None = None,
                 **kwargs) -> None:
        if on_missing_masks not in ('error', 'skip'):
            raise ValueError("expected on_missing_masks as 'error' or 'skip', got "
                             f'{on_missing_masks!r}')
        for name in ('ann_file', 'label_file'):
            if kwargs.get(name):
                raise ValueError(f'{type(self).__name__} takes no {name}: shards hold '
                                 'the list of photos and their tags')
        self.with_tags = with_tags
        self.on_missing_masks = on_missing_masks
        self.cache_bytes = cache_bytes
        data_prefix = data_prefix or dict(img_path='photos')
        classes = self._read_classes(classes, metainfo, data_root)
        if classes is None:
            classes = self._named_classes(data_root, data_prefix)
        if 'palette' not in (metainfo or {}):
            metainfo = dict(metainfo or {}, palette=voc_palette(len(classes)))
        kwargs.setdefault('serialize_data', False)
        super().__init__(classes=classes, data_root=data_root, metainfo=metainfo,
                         data_prefix=data_prefix, **kwargs)

    @staticmethod
    def _named_classes(data_root: str | None, data_prefix: dict) -> list[str]:
        """The classes that the first shards, of masks or images, name."""
        places = [join(data_root or '', data_prefix[key])
                  for key in ('seg_map_path', 'img_path') if data_prefix.get(key)]
        for place in places:
            with closing(open_shards(place)[0]) as first:
                if first.meta.classes:
                    return first.meta.classes
        raise ValueError(f'{places[-1]} does not name its classes: give `classes`')

    def _join_prefix(self) -> None:
        self.data_prefix = {key: place and join(self.data_root or '', place)
                            for key, place in self.data_prefix.items()}

    def full_init(self) -> None:
        """Open the shards and choose the rows; nothing of an image is read."""
        if self._fully_initialized:
            return
        self._images = RowReader(
            open_shards(self.data_prefix['img_path']), self.cache_bytes)
        self._masks: RowReader | None = None
        self._mask_rows: np.ndarray | None = None
        kept = np.ones(len(self._images), dtype=bool)
        if self.with_tags:
            kept &= self._check_tags()
        if self.with_masks and self.data_prefix.get('seg_map_path'):
            kept &= self._find_masks()
        rows = np.flatnonzero(kept)
        if self._indices is not None:
            rows = (rows[:self._indices] if isinstance(self._indices, int)
                    else np.sort(rows[list(self._indices)]))
        if not rows.size:
            raise ValueError(f'{self.data_prefix["img_path"]} holds no photo to take')
        self._rows = rows
        self.block_starts = np.unique(np.searchsorted(rows, self._images.starts))
        self._fully_initialized = True

    def __len__(self) -> int:
        self.full_init()
        return len(self._rows)

    def get_data_info(self, idx: int) -> dict:
        """What is known of a sample, without the content of its files."""
        return self._info(idx)[0]

    def prepare_data(self, idx: int) -> Any:
        """A sample, after the pipeline."""
        info, row, mask = self._info(idx)
        info['img_bytes'] = load_image_bytes(row)
        if mask is not None:
            info['mask_bytes'] = mask
        return self.pipeline(info)

    def _info(self, idx: int) -> tuple[dict, ShardRow, bytes | None]:
        self.full_init()
        # An index that knows its position stays what it is.
        idx = idx if idx >= 0 else len(self) + idx
        number = int(self._rows[idx])
        row = self._images[number]
        name = f'{self._images.location(number)}: {row.id}'
        info = dict(
            img_path=name, img_id=row.id, sample_idx=idx,
            num_classes=len(self._metainfo['classes']), label_map=self.label_map,
            reduce_zero_label=self.reduce_zero_label, seg_fields=[])
        labels = self._labels(row, name) if self.with_tags else None
        if labels is not None:
            info['tags'] = labels
        mask = None
        if self.with_masks:
            mask, source = self._mask(number, row)
            if mask is not None:
                info['seg_map_path'] = f'{source}: mask of {row.id}'
            elif self.with_masks != 'available':
                raise FileNotFoundError(f'{name} has no mask')
        return info, row, mask

    def _mask(self, number: int, row: ShardRow) -> tuple[bytes | None, str]:
        """The mask of an image, and the shard that it comes from."""
        if self._masks is None or self._mask_rows is None:
            return row.mask, self._images.location(number)
        number = int(self._mask_rows[number])
        if number < 0:
            return None, ''
        return self._masks[number].mask, self._masks.location(number)

    def _labels(self, row: ShardRow, name: str) -> np.ndarray | None:
        if row.tags is None:
            if self.on_missing_labels == 'no_filter' or self.test_mode:
                return None
            if self.on_missing_labels == 'error':
                raise ValueError(f'{name} has no entry of tags')
        with naming(name):
            labels = encode_tags(row.tags or (), self._metainfo['classes'],
                                 self.METAINFO.get('classes', ()))
        if not self.allow_empty and not labels[1:].any():
            raise ValueError(f'{name} has no tags; give it one, leave it out by '
                             '`filter_cfg`, or set `allow_empty=True`')
        return labels

    def _check_tags(self) -> np.ndarray:
        """Which images to take; tags that are no class are refused at once.

        The tags of a tar lie between its images: they are checked as they come,
        unless images without tags are to be left out.
        """
        drop_empty = (self.filter_cfg or {}).get('filter_empty_gt', False)
        known = {*self._metainfo['classes'], *self.METAINFO.get('classes', ())}

        def count(shard: Shard) -> np.ndarray | None:
            if not drop_empty and not shard.location.endswith('.parquet'):
                return None
            tags = shard.column('tags')
            if tags is None:
                if self.on_missing_labels == 'error' and not self.test_mode:
                    raise ValueError(f'{shard.location} has no column of tags; '
                                     '`with_tags=False` does without')
                return None
            counts, names = _count_tags(tags)
            if unknown := sorted(set(names) - known):
                raise ValueError(
                    f'{shard.location}: unknown class {unknown[0]!r} among the tags, '
                    f'expected one of {", ".join(self._metainfo["classes"])}')
            return counts

        counts = self._images.map_shards(count)
        sizes = self._images.shard_sizes()
        kept = np.ones(len(self._images), dtype=bool)
        if drop_empty:
            kept = np.concatenate([
                np.zeros(size, dtype=bool) if tags is None else tags > 0
                for tags, size in zip(counts, sizes, strict=True)])
        return kept

    def _check_classes(self, shard: Shard) -> None:
        """Refuse masks whose ids mean other classes."""
        named, classes = shard.meta.classes, list(self._metainfo['classes'])
        if named and named != classes:
            raise ValueError(f'{shard.location} holds masks of the classes '
                             f'{", ".join(named)}, expected {", ".join(classes)}')

    def _find_masks(self) -> np.ndarray:
        """Find the row of each image's mask; which images have one."""
        pa = require('pyarrow', 'finding the masks of photos')
        compute = require('pyarrow.compute', 'finding the masks of photos')
        self._masks = RowReader(
            open_shards(self.data_prefix['seg_map_path']), self.cache_bytes)
        self._masks.map_shards(self._check_classes)

        def ids(reader: RowReader) -> Any:
            parts = reader.map_shards(lambda shard: shard.column('id'))
            return pa.chunked_array([
                chunk for part in parts for chunk in
                (part.cast(pa.string()).chunks if isinstance(part, pa.ChunkedArray)
                 else [pa.array(part, pa.string())])], pa.string())

        mask_ids, image_ids = ids(self._masks), ids(self._images)
        if compute.count_distinct(mask_ids).as_py() != len(mask_ids):
            counts = mask_ids.value_counts()
            twice = counts.filter(compute.greater(counts.field('counts'), 1))[0]
            raise ValueError(f'{self.data_prefix["seg_map_path"]} has more than one '
                             f'mask of {twice["values"].as_py()!r}')
        found = compute.index_in(image_ids, value_set=mask_ids)
        self._mask_rows = found.fill_null(-1).to_numpy().astype(np.int64)
        missing = np.flatnonzero(self._mask_rows < 0)
        if not missing.size or self.with_masks == 'available':
            return np.ones(len(self._images), dtype=bool)
        first = image_ids[int(missing[0])].as_py()
        words = (f'{len(missing)} of {len(self._images)} photos have no mask in '
                 f'{self.data_prefix["seg_map_path"]}, the first is {first!r}')
        if self.on_missing_masks == 'error':
            raise FileNotFoundError(
                f"{words}; on_missing_masks='skip' leaves them out")
        print_log(f'{words}: left out', logger='current', level=logging.WARNING)
        return self._mask_rows >= 0


def _count_tags(tags: Any) -> tuple[np.ndarray, Iterable[str]]:
    """How many tags each row has, and all that there are."""
    if isinstance(tags, list):
        counts = np.array([len(row or ()) for row in tags], dtype=np.int64)
        return counts, {tag for row in tags for tag in row or ()}
    compute = require('pyarrow.compute', 'reading tags')
    counts = compute.list_value_length(tags).fill_null(0).to_numpy().astype(np.int64)
    return counts, compute.unique(compute.list_flatten(tags)).to_pylist()
