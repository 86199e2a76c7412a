# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""COCO's instances: one JSON file, by pycocotools."""

import os.path as osp
from collections.abc import Sequence
from typing import Any

import numpy as np

from mmwsss.utils import naming, read_json, write_json

from .image_masks import (
    AnnotationOptions,
    ImageMask,
    Labels,
    Masks,
    empty_mask,
    id_of_file,
)
from .shapes import box_of, decode_runs, fill, outline, regions


def write_coco(items: Sequence[ImageMask], labels: Labels, out: str,
               options: AnnotationOptions) -> None:
    """Write ``annotations.json``: an annotation for each connected region."""
    from pycocotools import mask as coco_mask
    images: list[dict] = []
    annotations: list[dict] = []
    for number, item in enumerate(items, 1):
        height, width = item.size
        images.append(dict(
            id=number, file_name=item.file_name, height=height, width=width))
        mask = item.read(len(labels.classes))
        for label, region in regions(mask, options.min_pixels):
            segmentation: Any
            if options.polygons:
                points = outline(region, options.tolerance)
                segmentation = [points.round(2).flatten().tolist()]
            else:
                segmentation = coco_mask.encode(np.asfortranarray(region, np.uint8))
                segmentation['counts'] = segmentation['counts'].decode('ascii')
            annotations.append(dict(
                id=len(annotations) + 1, image_id=number, category_id=label,
                segmentation=segmentation, area=int(region.sum()),
                bbox=list(map(float, box_of(region))), iscrowd=0))
    categories = [dict(id=i, name=name, supercategory='')
                  for i, name in enumerate(labels.classes) if i > 0]
    write_json(osp.join(out, 'annotations.json'), dict(
        info=dict(description='mmwsss'), images=images, annotations=annotations,
        categories=categories))


def read_coco(source: str, labels: Labels, images: str | None) -> Masks:
    """The masks of an instances file; later annotations lie over earlier ones."""
    path = osp.join(source, 'annotations.json') if osp.isdir(source) else source
    content = read_json(path)
    with naming(path):
        try:
            names = {entry['id']: entry['name'] for entry in content['categories']}
            by_image: dict[int, list[dict]] = {
                entry['id']: [] for entry in content['images']}
            for annotation in content['annotations']:
                by_image[annotation['image_id']].append(annotation)
            for image in content['images']:
                mask = empty_mask(image['height'], image['width'])
                size = mask.shape[0], mask.shape[1]
                for annotation in by_image[image['id']]:
                    shape = annotation['segmentation']
                    region = (fill if isinstance(shape, list) else decode_runs)(
                        shape, size)
                    mask[region] = labels.id_of(names[annotation['category_id']])
                yield id_of_file(image['file_name']), mask
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f'it is no instances file of COCO: {error!r}') from error
