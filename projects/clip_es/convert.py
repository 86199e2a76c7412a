# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Make the checkpoint of a config on CLIP: CLIP's weights, and what its words are.

The weights are OpenAI's by default, which open_clip downloads into its cache; or a
file: OpenAI's ViT-B-16.pt, safetensors, or a checkpoint of open_clip. The classes are
those of the config's data set, their words those that its `words` names: the published
ones of VOC or COCO, or a file beside classes.txt, a class a line.

Example:
    PYTHONPATH=. python projects/clip_es/convert.py \\
        projects/clip_es/configs/clip_es_vit-b16_voc.py clip_voc.pth \\
        --weights ViT-B-16.pt
"""

from __future__ import annotations

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import argparse
import os.path as osp
from typing import TYPE_CHECKING

from mmwsss.utils import check_keys, naming, read_config
from mmwsss.utils.arguments import ToolParser
from mmwsss.utils.conversion import write_checkpoint
from mmwsss.utils.entry_point import run_tool

if TYPE_CHECKING:
    from mmengine.config import Config
    from torch import Tensor

OWN_PROMPTS = 'prompts.txt'
NAMES = ('classes', 'classes.txt')


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = ToolParser(__doc__)
    parser.add_argument('config', help='config of a model on CLIP')
    parser.add_argument('dst', help='checkpoint to write')
    parser.add_argument(
        '--weights', default='openai',
        help='a file, a name that open_clip knows, or "random" (default: openai)')
    parser.add_cfg_options()
    return parser.parse_args()


def read_words(cfg: Config) -> tuple[list[str], list[str], list[str]]:
    """Classes, the words of each, and words for background, of a config.

    Raises:
        ValueError: If there is a ``prompts.txt`` beside the images that the config
            does not read, or see :func:`class_prompts`.
    """
    from mmseg.registry import DATASETS

    from projects.clip_es.prompts import background_prompts, class_prompts
    dataset = cfg.train_dataloader.dataset
    classes = list(
        dataset.get('classes') or DATASETS.get(dataset.type).METAINFO['classes'])[1:]
    words = cfg.words
    root = dataset.get('data_root') or ''
    path = osp.join(root, OWN_PROMPTS)
    if words.names in NAMES and osp.isfile(path):
        raise ValueError(f'{path} is not read: name it by prompts={OWN_PROMPTS} (of a '
                         f'config: words.names={OWN_PROMPTS}), or remove it')
    prompts = class_prompts(words.names, classes, root)
    return classes, prompts, background_prompts(words.background, prompts)


def make_state_dict(
        cfg: Config,
        weights: str | dict[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
    """Weights and words of a config's model, and its classes.

    Raises:
        ValueError: If there are more words for background than the model has room
            for, or see :func:`load_clip` and :func:`encode_words`.
    """
    import torch

    from projects.clip_es.clip_parts import DEFAULT_ARCH
    from projects.clip_es.clip_weights import encode_words, load_clip, split_tower
    classes, prompts, background = read_words(cfg)
    room = cfg.model.decode_head.get('num_background', 25)
    if len(background) > room:
        raise ValueError(
            f'{len(background)} words for background, but the model has room for '
            f'{room}: set model.decode_head.num_background')
    model = load_clip(cfg.model.backbone.get('arch', DEFAULT_ARCH), weights)
    state = split_tower(model)
    with naming(cfg.filename):
        state['decode_head.class_words'] = encode_words(
            model, prompts, cfg.words.templates)
        words = encode_words(model, background, cfg.words.templates)
    state['decode_head.background_words'] = torch.cat(
        [words, words.new_zeros(room - len(words), words.shape[1])])
    return state, classes


def main(args: argparse.Namespace) -> None:
    """Write the checkpoint."""
    cfg = read_config(args.config, args.cfg_options)
    check_keys(cfg, 'model', 'words', 'train_dataloader')
    state, classes = make_state_dict(cfg, args.weights)
    write_checkpoint(
        args.dst, state, dataset_meta=dict(classes=['background', *classes]))


if __name__ == '__main__':
    run_tool(parse_args, main)
