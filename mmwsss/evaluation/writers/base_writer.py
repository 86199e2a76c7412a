# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import os
import os.path as osp
from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
from mmengine.dist import barrier, is_main_process
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from mmwsss.datasets.image_ids import image_id
from mmwsss.datasets.image_io import voc_palette, write_mask

from .origin import finish_origin


class BaseWriter(BaseMetric):
    """Writes one file an image in the test loop, and scores nothing.

    It stands among the metrics of an evaluator. Each process writes its own
    images; files are whole or absent, so that a killed run goes on. Two images
    never share a file: an error comes before anything is written where the runner
    is ours, which sets :attr:`image_ids`, else before the second.

    Args:
        out_dir (str): The folder to write into.
        skip_existing (bool): Whether files that are there stay as they are.
            Defaults to True.
    """

    default_prefix = 'writer'
    suffix = ''
    """str: What follows the image's id in the file's name."""

    def __init__(self, out_dir: str, skip_existing: bool = True) -> None:
        super().__init__()
        self.out_dir = out_dir
        self.folders = [out_dir]
        self.skip_existing = skip_existing
        self.num_written = 0
        self.image_ids: dict[str, str] = {}
        self._written: dict[str, str] = {}

    @abstractmethod
    def write(self, sample: dict, path: str) -> None:
        """Write the file of one predicted sample, atomically."""

    def path_of(self, sample: dict) -> str:
        """The file of a sample."""
        return osp.join(self.out_dir, image_id(sample) + self.suffix)

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Write a batch.

        Raises:
            ValueError: Naming both images, if two have the same id; or the file, if
                it is an image or a mask that was read.
        """
        for sample in data_samples:
            source = sample.get('img_path', '')
            if source in self.image_ids:
                sample = dict(sample, img_id=self.image_ids[source])
            path = self.path_of(sample)
            first = self._written.setdefault(path, source)
            if first != source:
                raise ValueError(f'{path} would be of {first} and of {source}; '
                                 'rename one')
            if self.skip_existing and osp.exists(path):
                continue
            for key in ('img_path', 'seg_map_path', 'saliency_path'):
                read = sample.get(key)
                if read and osp.realpath(read) == osp.realpath(path):
                    raise ValueError(f'{path} would replace what was read; write '
                                     'into another folder')
            self.write(sample, path)
            self.num_written += 1

    def finish(self) -> None:
        """What is left to do after the last image of this process."""

    def join_files(self, size: int) -> None:
        """Make one of all files, when they are there, in the first process.

        Args:
            size (int): Number of images in the dataset.
        """

    def evaluate(self, size: int) -> dict:
        """Finish, and wait for the other processes; there are no scores."""
        self.finish()
        os.makedirs(self.out_dir, exist_ok=True)
        barrier()
        print_log(f'{type(self).__name__}: this process wrote '
                  f'{self.num_written} files into {self.out_dir}',
                  logger='current')
        if is_main_process():
            for folder in self.folders:
                finish_origin(folder)
            self.join_files(size)
        barrier()
        self.num_written = 0
        self._written = {}
        return {}

    def compute_metrics(self, results: list) -> dict:
        """There is nothing to compute."""
        return {}


class BaseMaskWriter(BaseWriter):
    """Writes 8-bit palette PNGs of class ids at image size: ``<id>.png``.

    Args:
        out_dir (str): The folder to write into.
        palette (list, optional): RGB triples, one a class. Defaults to the
            dataset's, and to VOC's colours without one.
        **kwargs: Arguments of :class:`BaseWriter`.
    """

    suffix = '.png'

    def __init__(self, out_dir: str, palette: list | None = None, **kwargs) -> None:
        super().__init__(out_dir, **kwargs)
        self.palette = palette

    def write_mask(self, path: str, mask: np.ndarray) -> None:
        """Write a mask ``(H, W)`` in the writer's colours."""
        write_mask(path, mask, dataset_palette(self.dataset_meta, self.palette))


def dataset_palette(meta: dict | None, palette: list | None = None) -> list:
    """The colours to write masks in: given, the dataset's, or VOC's."""
    palette = palette or (meta or {}).get('palette')
    return [list(colour) for colour in palette] if palette else voc_palette(
        len(meta['classes']) if meta else 255)
