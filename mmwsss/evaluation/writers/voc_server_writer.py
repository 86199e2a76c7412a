# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import os
import os.path as osp
import tarfile

from mmengine.logging import print_log
from mmseg.registry import METRICS

from mmwsss.datasets.image_io import voc_palette
from mmwsss.utils import atomic_write

from .mask_writer import MaskWriter


@METRICS.register_module()
class VOCServerWriter(MaskWriter):
    """Writes predictions as VOC's evaluation server wants them.

    Masks go to ``<out_dir>/results/VOC2012/Segmentation/<competition>_<split>
    _cls/<id>.png``, the archive to upload to ``<out_dir>/results.tar.gz``.
    Masks must hold classes 0..20 only. Predict the whole test list: the
    archive has every mask in the folder.

    Args:
        out_dir (str): The folder to write into.
        competition (str): ``'comp5'`` (only VOC data) or ``'comp6'`` (any
            data). Defaults to ``'comp5'``.
        split (str): Defaults to ``'test'``.
        **kwargs: Arguments of :class:`MaskWriter`, but for the palette: VOC's.

    Raises:
        ValueError: If the competition is unknown.
    """

    def __init__(self,
                 out_dir: str,
                 competition: str = 'comp5',
                 split: str = 'test',
                 **kwargs) -> None:
        if competition not in ('comp5', 'comp6'):
            raise ValueError("competition must be 'comp5' or 'comp6', got "
                             f'{competition!r}')
        self.root = out_dir
        folder = f'results/VOC2012/Segmentation/{competition}_{split}_cls'
        # Without skip_existing: old predictions must not slip into a submission.
        super().__init__(osp.join(out_dir, folder), voc_palette(21), **kwargs)

    def write(self, sample: dict, path: str) -> None:
        """Write one predicted mask."""
        mask = sample['pred_sem_seg']['data'].squeeze(0)
        expected = tuple(sample['ori_shape'][:2])
        if mask.shape != expected:
            raise ValueError(f'{path}: the mask must have the size {expected} '
                             f'of the image, got {tuple(mask.shape)}')
        if mask.min() < 0 or mask.max() > 20:
            raise ValueError(f'{path}: the server takes classes 0..20, got '
                             f'{mask.min()}..{mask.max()}')
        super().write(sample, path)

    def join_files(self, size: int) -> None:
        """Pack the archive."""
        path = osp.join(self.root, 'results.tar.gz')
        names = sorted(
            name for name in os.listdir(self.out_dir)
            if name.endswith(self.suffix) and not name.startswith('.'))
        with atomic_write(path) as file, tarfile.open(
                fileobj=file, mode='w:gz') as archive:
            for name in names:
                full = osp.join(self.out_dir, name)
                archive.add(full, osp.relpath(full, self.root))
        print_log(f'{path}: {len(names)} masks', logger='current')
        if len(names) != size:
            print_log(f'the dataset has {size} images: {self.out_dir} '
                      'holds masks of others, or lacks some', logger='current')
