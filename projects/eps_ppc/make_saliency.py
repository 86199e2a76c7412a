# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Make saliency maps from photos alone: a stand-in to try EPS and PPC with.

The published numbers need maps of a trained saliency network (PFAN). Here no
network is asked: a pixel is salient if every way from it to the border of the
photo crosses other colours. That is the minimum barrier distance of
"Minimum Barrier Salient Object Detection at 80 FPS" (ICCV 2015), in three
passes over each channel of Lab, then smoothed and put through a sigmoid around
Otsu's threshold. It misses objects that touch the border or have the colour of
their surroundings, and no accuracy is claimed for it.

Writes an 8-bit PNG for each photo (255 is salient), as the datasets read them
with ``data_prefix=dict(saliency_path=...)``. What is there already stays.

Example:
    PYTHONPATH=. python projects/eps_ppc/make_saliency.py \\
        data/voc_animals/JPEGImages data/voc_animals/Saliency
"""

from __future__ import annotations

import argparse
import os
import os.path as osp


def make_maps(photos: str, out: str) -> int:
    """Write the map of every photo below a folder that has none yet.

    Args:
        photos (str): A folder of photos.
        out (str): The folder for the maps.

    Returns:
        int: The number of photos.

    Raises:
        ValueError: If there is no photo, or one cannot be read.
    """
    from PIL import Image

    from mmwsss.datasets.image_io import read_photo
    from mmwsss.structures import photo_id
    from mmwsss.utils import atomic_write, walk_files
    from projects.eps_ppc.minimum_barrier import saliency_map
    names = [name for name in walk_files(photos) if photo_id(name) != name]
    if not names:
        raise ValueError(f'there is no photo in {photos}')
    for name in names:
        path = osp.join(out, f'{photo_id(name)}.png')
        if osp.exists(path):
            continue
        os.makedirs(osp.dirname(path), exist_ok=True)
        saliency = saliency_map(read_photo(osp.join(photos, name)))
        with atomic_write(path, 'wb') as file:
            Image.fromarray(saliency).save(file, format='PNG')
    return len(names)


def main() -> None:
    """Make the maps of a folder."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('photos', help='folder of photos')
    parser.add_argument('out', help='folder for the maps')
    args = parser.parse_args()
    if not osp.isdir(args.photos):
        parser.error(f'there is no folder {args.photos}')
    print(f'{make_maps(args.photos, args.out)} maps in {args.out}')


if __name__ == '__main__':
    main()
