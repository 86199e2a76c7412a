# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import os.path as osp

import numpy as np
from mmseg.registry import METRICS, MODELS

from mmwsss.datasets.coco import coco_number
from mmwsss.datasets.image_ids import image_id
from mmwsss.structures import Seed
from mmwsss.utils import naming, read_json, walk_files, write_json

from ..metrics.prediction_files import prediction_file
from .base_writer import BaseMaskWriter, BaseWriter

MERGED_FILE = 'instances.json'


@METRICS.register_module()
class WalkWriter(BaseMaskWriter):
    """Lets seeds walk and writes pseudo labels, ``<id>.png``.

    The PNGs are 8-bit palette images of class ids at image size. Predictions are
    those of :class:`WalkTTAModel`.

    Args:
        out_dir (str): The folder to write into.
        walk (dict): Config of a :class:`WalkLabel`.
        seeds (str): Folder of the seeds, ``<id>.npz``.
        seeds_out (str, optional): Folder for the seeds after the walk, at stride
            4: to score them at many thresholds.
        **kwargs: Arguments of :class:`BaseMaskWriter`, such as ``palette``.
    """

    def __init__(self,
                 out_dir: str,
                 walk: dict,
                 seeds: str,
                 seeds_out: str | None = None,
                 **kwargs) -> None:
        super().__init__(out_dir, **kwargs)
        self.walk = MODELS.build(walk).eval()
        self.seeds = seeds
        self.seeds_out = seeds_out
        self.folders += [seeds_out] if seeds_out else []

    def path_of(self, sample: dict) -> str:
        """The last of the files of a sample that are missing."""
        path = super().path_of(sample)
        if self.seeds_out is not None:
            seed_path = prediction_file(self.seeds_out, sample, seeds=True)
            if not osp.exists(seed_path):
                return seed_path
        return path

    def write(self, sample: dict, path: str) -> None:
        """Let one seed walk and write what comes of it."""
        seed = Seed.load(prediction_file(self.seeds, sample, seeds=True))
        with naming(sample['img_path']):
            walked = self.walk.walk(seed, sample['guide'])
        self.write_mask(
            super().path_of(sample), self.walk.decide(walked).cpu().numpy())
        if self.seeds_out is not None:
            self.walk.reduce(walked).save(
                prediction_file(self.seeds_out, sample, seeds=True))


@METRICS.register_module()
class InstanceWriter(BaseWriter):
    """Writes instances as COCO results: RLE masks with scores.

    One ``<id>.json`` an image, and ``instances.json`` with those of all images
    when all are done. Predictions are those of :class:`WalkTTAModel` with
    ``displacement=True``. Needs pycocotools.

    Where the dataset knows COCO's ``category_ids`` (METAINFO, by class name),
    ``category_id`` and ``image_id`` are COCO's numbers, for its evaluation. Of
    other datasets they are the class index, from 1, and the id.

    Args:
        out_dir (str): The folder to write into.
        walk (dict): Config of a :class:`WalkInstances`.
        seeds (str): Folder of the seeds, ``<id>.npz``.
        **kwargs: Arguments of :class:`BaseWriter`.

    Raises:
        ImportError: If pycocotools is not installed.
    """

    suffix = '.json'

    def __init__(self, out_dir: str, walk: dict, seeds: str, **kwargs) -> None:
        super().__init__(out_dir, **kwargs)
        try:
            from pycocotools import mask
        except ImportError as error:
            raise ImportError('instances are written by pycocotools: '
                              f'pip install pycocotools ({error})') from error
        self.encode = mask.encode
        self.walk = MODELS.build(walk).eval()
        self.seeds = seeds

    def write(self, sample: dict, path: str) -> None:
        """Write the instances of one image."""
        seed = Seed.load(prediction_file(self.seeds, sample, seeds=True))
        with naming(sample['img_path']):
            instances = self.walk.instances(seed, sample['guide'],
                                            sample['displacement'])
        name: str | int = image_id(sample)
        categories = self.dataset_meta.get('category_ids')
        if categories is not None:
            name = coco_number(image_id(sample))
        results = []
        for one in instances:
            code = self.encode(np.asfortranarray(one.mask.astype(np.uint8)))
            code['counts'] = code['counts'].decode()
            category = one.label
            if categories is not None:
                category = categories[self.dataset_meta['classes'][category]]
            results.append(
                dict(image_id=name, category_id=category, score=one.score,
                     segmentation=code))
        write_json(path, results)

    def join_files(self, size: int) -> None:
        """Join the results of all images in one file."""
        join_instances(self.out_dir)


def join_instances(folder: str) -> None:
    """Join what :class:`InstanceWriter` wrote of each image in one file.

    Args:
        folder (str): The folder of its files.
    """
    results = []
    for name in walk_files(folder):
        if name.endswith('.json') and name != MERGED_FILE:
            results += read_json(osp.join(folder, name))
    write_json(osp.join(folder, MERGED_FILE), results)
