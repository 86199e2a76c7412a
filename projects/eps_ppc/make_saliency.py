# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Make saliency maps from images alone: a stand-in to try EPS and PPC with.

The published numbers need maps of a trained saliency network (PFAN). Here no
network is asked: a pixel is salient if every way from it to the border of the
image crosses other colours. That is the minimum barrier distance of
"Minimum Barrier Salient Object Detection at 80 FPS" (ICCV 2015), in three
passes over each channel of Lab, then smoothed and put through a sigmoid around
Otsu's threshold. It misses objects that touch the border or have the colour of
their surroundings, and no accuracy is claimed for it.

Writes an 8-bit PNG for each image (255 is salient), as the datasets read them
with ``data_prefix=dict(saliency_path=...)``. What is there already stays.

Example:
    PYTHONPATH=. python projects/eps_ppc/make_saliency.py \\
        data/voc_animals/JPEGImages data/voc_animals/Saliency
"""

from __future__ import annotations

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import argparse
import os.path as osp

from mmwsss.utils.arguments import ToolParser
from mmwsss.utils.entry_point import run_tool


def make_maps(images: str, out: str) -> int:
    """Write the map of every image below a folder that has none yet.

    Args:
        images (str): A folder of images.
        out (str): The folder for the maps.

    Returns:
        int: The number of images.

    Raises:
        ValueError: If there is no image, or one cannot be read.
    """
    from PIL import Image

    from mmwsss.datasets.image_io import read_image
    from mmwsss.structures import strip_image_suffix
    from mmwsss.utils import atomic_write, walk_files
    from projects.eps_ppc.minimum_barrier import saliency_map
    names = [name for name in walk_files(images) if strip_image_suffix(name) != name]
    if not names:
        raise ValueError(f'there is no image in {images}')
    for name in names:
        path = osp.join(out, f'{strip_image_suffix(name)}.png')
        if osp.exists(path):
            continue
        saliency = saliency_map(read_image(osp.join(images, name)))
        with atomic_write(path, 'wb') as file:
            Image.fromarray(saliency).save(file, format='PNG')
    return len(names)


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = ToolParser(__doc__)
    parser.add_argument('images', help='folder of images')
    parser.add_argument('out', help='folder for the maps')
    args = parser.parse_args()
    if not osp.isdir(args.images):
        parser.error(f'there is no folder {args.images}')
    return args


def main(args: argparse.Namespace) -> None:
    """Make the maps of a folder."""
    print(f'{make_maps(args.images, args.out)} maps in {args.out}')


if __name__ == '__main__':
    run_tool(parse_args, main)
