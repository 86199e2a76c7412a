# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Show what training sees: augmented images, their tags, and masks if any.

    python tools/analysis_tools/browse_dataset.py configs/cam/cam_r50_voc.py \
        --out-dir browse --num 20

Images come in the order of the config's sampler, augmented as in training with
its seed; so the same command writes the same pictures.
"""

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import argparse
import os.path as osp
from itertools import islice

import numpy as np
from PIL import Image, ImageDraw

from mmwsss.utils import atomic_write, check_keys, read_config
from mmwsss.utils.arguments import ToolParser
from mmwsss.utils.entry_point import run_tool


def parse_args() -> argparse.Namespace:
    parser = ToolParser(
        description='Write augmented training images with their tags and masks')
    parser.add_argument('config', help='train config file')
    parser.add_argument(
        '--out-dir', default='browse', help='where to write (default: browse)')
    parser.add_argument(
        '--num', type=int, default=20, help='number of images (default: 20)')
    parser.add_argument(
        '--split', choices=('train', 'val', 'test'), default='train',
        help='which data loader of the config (default: train)')
    parser.add_cfg_options()
    args = parser.parse_args()
    if args.num < 1:
        parser.error(f'--num must be positive, got {args.num}')
    return args


def draw_item(item: dict, metainfo: dict) -> np.ndarray:
    """Draw one packed sample: the image with its tags, and, to the right of it,
    its mask if it has one."""
    from mmwsss.visualization import draw_mask, draw_tags
    image = item['inputs'].permute(1, 2, 0).numpy()[..., ::-1]
    image = np.clip(np.rint(image), 0, 255).astype(np.uint8)
    sample = item['data_samples']
    drawn = [image]
    if 'gt_sem_seg' in sample:
        mask = sample.gt_sem_seg.data[0].numpy()
        drawn.append(draw_mask(image, mask, metainfo['palette']))
    box = sample.metainfo.get('valid_box')
    if box is not None and (box[2] - box[0], box[3] - box[1]) != image.shape[1::-1]:
        canvas = Image.fromarray(np.ascontiguousarray(image))
        corners = (box[0], box[1], box[2] - 1, box[3] - 1)
        ImageDraw.Draw(canvas).rectangle(corners, outline=(255, 255, 0))
        drawn[0] = np.asarray(canvas)
    labels = sample.metainfo.get('tags')
    if labels is not None:
        present = [int(i) for i in np.flatnonzero(labels) if i > 0]
        names = [metainfo['classes'][i] for i in present] or ['(no tag)']
        colors = [metainfo['palette'][i] for i in present] or [(128, 128, 128)]
        drawn[0] = draw_tags(drawn[0], names, colors)
    return np.concatenate(drawn, axis=1)


def main(args: argparse.Namespace) -> None:
    from mmengine.registry import init_default_scope
    from mmseg.registry import DATA_SAMPLERS, DATASETS
    from rich.progress import track

    from mmwsss.datasets.transforms.seeding import seed_everything
    cfg = read_config(args.config, args.cfg_options)
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    check_keys(cfg, f'{args.split}_dataloader')
    loader = cfg[f'{args.split}_dataloader']
    dataset = DATASETS.build(loader.dataset)
    seed = cfg.get('randomness', {}).get('seed') or 0
    sampler = DATA_SAMPLERS.build(
        loader.sampler, default_args=dict(dataset=dataset, seed=seed))
    num = min(args.num, len(dataset))
    for i, index in enumerate(
            track(islice(sampler, num), 'Drawing', total=num)):
        # For pipelines without SetRandomState.
        seed_everything(1, seed, i)
        item = dataset[index]
        if not hasattr(item['inputs'], 'permute'):
            raise ValueError('this pipeline makes several views of one image '
                             '(TestTimeAug) and cannot be shown')
        stem = osp.splitext(osp.basename(item['data_samples'].img_path))[0]
        path = osp.join(args.out_dir, f'{i:04d}_{stem}.jpg')
        drawn = draw_item(item, dataset.metainfo)
        with atomic_write(path) as file:
            Image.fromarray(drawn).save(file, 'JPEG', quality=92)
    print(f'{num} of {len(dataset)} samples drawn in {args.out_dir}')


if __name__ == '__main__':
    run_tool(parse_args, main)
