# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""``mmwsss cam``: class activation maps of a trained classifier."""

import argparse
from collections.abc import Sequence

from mmwsss.utils.renamed import renamed_arguments

from .tools import call_tool, option_words


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``mmwsss cam``."""
    parser.add_argument('image', help='a photo, a folder or a quoted pattern')
    parser.add_argument('--model', default='resnet50', help='name of a classifier in '
                        "timm or mmpretrain, or 'clip', which finds any word "
                        '(default: resnet50)')
    parser.add_argument('--weights', metavar='FILE', help="file of its weights "
                        "(default: the library's)")
    parser.add_argument('--method', choices=['cam', 'gradcam', 'layercam'],
                        help='default: cam where it is defined, else gradcam')
    parser.add_argument('--classes', nargs='+', default=(), metavar='CLASS',
                        help='names, or numbers from 0 (default: the most probable)')
    parser.add_argument('--out', default='cams', help='where to write (default: cams)')


@renamed_arguments(photo='image')
def cam(image: str,
        model: str = 'resnet50',
        weights: str | None = None,
        method: str | None = None,
        classes: Sequence[str] = (),
        out: str = 'cams') -> str:
    """Draw class activation maps over images; :class:`mmwsss.CAM` returns them.

    Args:
        image (str): An image, a folder or a pattern.
        model (str): Name of a classifier in timm or mmpretrain, or ``'clip'``.
            Defaults to 'resnet50'.
        weights (str, optional): A file of its weights. Defaults to the library's.
        method (str, optional): ``'cam'``, ``'gradcam'`` or ``'layercam'``. Defaults
            to the first where it is defined for the model, else the second.
        classes (Sequence[str]): Names, or numbers from 0; of ``'clip'`` any words.
            Defaults to (), the most probable one.
        out (str): Where to write. Defaults to 'cams'.

    Returns:
        str: The folder ``out``.

    Raises:
        ToolFailed: If there is no such model, class or image.
    """
    call_tool('tools/analysis_tools/cam.py', image, *option_words(
        model=model, weights=weights, method=method, out_dir=out,
        classes=list(classes)))
    return out
