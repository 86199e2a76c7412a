# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Convert checkpoints of WeCLIP to mmwsss.

Takes those of https://github.com/zbf1991/WeCLIP, for VOC, COCO or other classes: the
decoder, and the CLIP it was trained on. What words are to that CLIP is worked out from
the config, as projects/clip_es/convert.py does. Anything missing, left over or of
another shape than the config's model is an error.

Example:
    PYTHONPATH=. python projects/weclip/convert.py \\
        projects/weclip/configs/weclip_vit-b16_voc.py \\
        WeCLIP_model_iter_30000.pth weclip_voc.pth
"""

from __future__ import annotations

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import argparse
import re
from typing import TYPE_CHECKING

from mmwsss.utils import check_keys, read_config
from mmwsss.utils.arguments import ToolParser
from mmwsss.utils.conversion import convert_file, write_checkpoint
from mmwsss.utils.entry_point import run_tool

if TYPE_CHECKING:
    from mmengine.config import Config
    from torch import Tensor

PLACES = (
    (r'^decoder_fts_fuse\.linears_modulelist\.(\d+)\.proj\.', r'projections.\1.0.'),
    (r'^decoder_fts_fuse\.linears_modulelist\.(\d+)\.proj_2\.', r'projections.\1.2.'),
    (r'^decoder_fts_fuse\.linear_fuse\.', 'fuse.'),
    (r'^decoder\.transformer\.resblocks\.', 'blocks.'),
    (r'^decoder\.linear_pred\.', 'predict.'))
# Of the last image, and of PAR, which learns nothing.
LEFT_OUT = re.compile(r'^(encoder\.visual\.positional_embedding_new$|par\.)')


def rename(key: str) -> str:
    """Our name of one of the decoder's tensors; as it is if unknown."""
    for pattern, name in PLACES:
        key = re.sub(pattern, f'decode_head.decoder.{name}', key)
    return key


def convert(state_dict: dict[str, Tensor],
            cfg: Config) -> tuple[dict[str, Tensor], list[str]]:
    """Convert a state dict.

    Args:
        state_dict (dict[str, Tensor]): With or without the prefix of DataParallel.
        cfg (Config): The config of the model.

    Returns:
        tuple[dict[str, Tensor], list[str]]: The whole model's, and its classes.

    Raises:
        ValueError: Naming the keys, if some are unknown, missing or of another shape.
    """
    from mmengine.registry import init_default_scope
    from mmseg.registry import MODELS

    from mmwsss.utils.checkpoint import check_weights
    from projects.clip_es.convert import make_state_dict
    state_dict = {
        key.removeprefix('module.'): value for key, value in state_dict.items()
    }
    if 'decoder.linear_pred.weight' not in state_dict:
        raise ValueError('no checkpoint of WeCLIP: it lacks decoder.linear_pred.weight')
    clip, rest = {}, {}
    for key, value in state_dict.items():
        if key.startswith('encoder.') and not LEFT_OUT.match(key):
            clip[key.removeprefix('encoder.')] = value
        elif not LEFT_OUT.match(key):
            rest[rename(key)] = value
    converted, classes = make_state_dict(cfg, clip)
    converted.update(rest)
    init_default_scope('mmseg')
    check_weights(converted, MODELS.build(cfg.model).state_dict())
    return converted, classes


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = ToolParser(__doc__)
    parser.add_argument('config', help='config of the model')
    parser.add_argument('src', help='checkpoint to convert')
    parser.add_argument('dst', help='file to write')
    parser.add_cfg_options()
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    """Convert a file."""
    cfg = read_config(args.config, args.cfg_options)
    check_keys(cfg, 'model', 'words', 'train_dataloader')
    state, classes = convert_file(args.src, lambda found: convert(found, cfg))
    write_checkpoint(
        args.dst, state, dataset_meta=dict(classes=['background', *classes]))


if __name__ == '__main__':
    run_tool(parse_args, main)
