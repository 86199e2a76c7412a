# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Convert checkpoints of EPS and PPC to mmwsss.

Takes state dicts of https://github.com/halbielee/EPS and of both branches of
https://github.com/usr922/wseg, on WideResNet38, and recognises them by their
keys:

- EPS (``fc8`` of 21 or 81 channels): ``eps_wide-r38_*.py``;
- its baseline (``fc8`` of 20 or 80): ``configs/psa/cam_wide-r38_*.py``;
- PPC on EPS (``proj_fc``, branch esp): ``ppc_eps_wide-r38_*.py``;
- PPC on SEAM (``fc_proj``, branch master): ``ppc_seam_wide-r38_*.py``; no loss
  reads the background row of its ``fc8``, which is left out.

EPS has the background last, and here it is first. Anything missing, left over
or of another shape than the network here is an error.

Example:
    PYTHONPATH=. python projects/eps_ppc/convert.py \\
        checkpoint_contrast.pth ppc_eps_wide-r38_voc.pth
"""

from __future__ import annotations

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import argparse
from typing import TYPE_CHECKING

from mmwsss.utils.conversion import (
    check_model,
    convert_file,
    file_parser,
    trunk_module,
    write_checkpoint,
)
from mmwsss.utils.entry_point import run_tool

if TYPE_CHECKING:
    from torch import Tensor

HEADS = {
    'fc8': 'classifier', 'fc_proj': 'project', 'proj_fc': 'project',
    'f8_3': 'reduce.0', 'f8_4': 'reduce.1', 'f9': 'embed'
}
TRUNK_CHANNELS = [512, 1024, 4096]


def head_config(state_dict: dict[str, Tensor],
                num_classes: int | None = None) -> dict:
    """The head of our model that a source belongs to.

    Raises:
        ValueError: If it belongs to none.
    """
    if 'fc8.weight' not in state_dict:
        raise ValueError('no checkpoint of EPS or PPC: fc8.weight is missing')
    rows = state_dict['fc8.weight'].shape[0]
    for key, head in (('proj_fc', 'PPCEPSHead'), ('fc_proj', 'PPCHead')):
        if f'{key}.weight' in state_dict:
            return dict(type=head, in_channels=TRUNK_CHANNELS, num_classes=rows)
    if 'f9.weight' in state_dict:
        raise ValueError("SEAM's network, without a projection: take "
                         'tools/model_converters/psa2mmwsss.py')
    if num_classes is None:
        num_classes = {20: 21, 21: 21, 80: 81, 81: 81}.get(rows)
    if num_classes is None or rows not in (num_classes - 1, num_classes):
        raise ValueError(f'fc8 has {rows} channels; --num-classes says how many '
                         'classes there are, with background')
    return dict(
        type='EPSHead' if rows == num_classes else 'CAMHead',
        in_channels=TRUNK_CHANNELS[-1],
        in_index=3,
        num_classes=num_classes)


def convert(state_dict: dict[str, Tensor],
            num_classes: int | None = None) -> dict[str, Tensor]:
    """Convert a state dict.

    Args:
        state_dict (dict[str, Tensor]): Of a layout named above, with or without
            the prefix of DataParallel.
        num_classes (int, optional): All classes, background included, where
            there are other ones than those of VOC and COCO.

    Returns:
        dict[str, Tensor]: Of the whole model here.

    Raises:
        ValueError: Naming the keys, if some are unknown, missing or of another
            shape.
    """
    import mmwsss  # noqa: F401
    import projects.eps_ppc  # noqa: F401
    state_dict = {
        key.removeprefix('module.'): value for key, value in state_dict.items()
    }
    head = head_config(state_dict, num_classes)
    converted = {}
    for key, value in state_dict.items():
        module, leaf = key.rpartition('.')[::2]
        trunk = trunk_module(module)
        if module in HEADS:
            if module == 'fc8':
                value = _classifier(value, head['type'])
            converted[f'decode_head.{HEADS[module]}.{leaf}'] = value
        else:
            converted[f'backbone.{trunk}.{leaf}' if trunk else key] = value
    check_model(
        converted, dict(backbone=dict(type='WideResNet38'), decode_head=head))
    return converted


def _classifier(weight: Tensor, head: str) -> Tensor:
    """Rows of ``fc8`` as the classifier here has them."""
    if head == 'PPCHead':
        return weight[1:]
    if head in ('EPSHead', 'PPCEPSHead'):
        return weight.roll(1, dims=0)
    return weight


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = file_parser(__doc__)
    parser.add_argument(
        '--num-classes', type=int,
        help='all classes, background included, of other data than VOC and COCO')
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    """Convert a file."""
    write_checkpoint(args.dst, convert_file(
        args.src, lambda weights: convert(weights, args.num_classes)))


if __name__ == '__main__':
    run_tool(parse_args, main)
