# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Time a training step with FSAE against one of its base.

The steps run in turn in one process; quote the ratios, not the times. On a CPU
it is processor time, which other programs disturb least. Beside
both, the base passes twice as many photos forward and backward: one more forward
and backward of the strong view is all that FSAE should cost. Every pixel is
labelled (threshold 0), the most that the loss can cost.

    python tools/analysis_tools/benchmark_fsae.py configs/fsae/fsae_cam_demo.py
"""

import argparse
import copy
import statistics
import time

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.registry import MODELS, TRANSFORMS
from mmseg.structures import SegDataSample


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('config', help='a config of FSAE')
    parser.add_argument('--batch', type=int, default=2)
    parser.add_argument('--size', type=int, default=256, help='height and width')
    parser.add_argument('--runs', type=int, default=5)
    parser.add_argument('--device', default='cpu')
    return parser.parse_args()


def build(cfg: Config, device: str, **changes):
    model = copy.deepcopy(cfg.model)
    model.data_preprocessor.size = None
    model.data_preprocessor.size_divisor = 1
    if model.backbone.get('pretrained'):
        model.backbone.pretrained = False
    model.backbone.pop('init_cfg', None)
    model.update(changes)
    return MODELS.build(model).to(device).train()


def make_batch(num: int, size: int, classes: int) -> dict:
    photos = np.random.default_rng(0).integers(
        0, 256, (2, num, 3, size, size), dtype=np.uint8)
    labels = np.zeros(classes, np.uint8)
    labels[:2] = 1
    samples = [
        SegDataSample(
            metainfo=dict(image_labels=labels),
            strong_img=PixelData(data=torch.from_numpy(photo)))
        for photo in photos[1]
    ]
    return dict(
        inputs=[torch.from_numpy(photo) for photo in photos[0]],
        data_samples=samples)


def seconds(model, batch: dict, device: str) -> float:
    on_gpu = device.startswith('cuda')
    clock = time.perf_counter if on_gpu else time.process_time
    start = clock()
    data = model.data_preprocessor(batch, training=True)
    loss, _ = model.parse_losses(model(**data, mode='loss'))
    loss.backward()
    if on_gpu:
        torch.cuda.synchronize()
    model.zero_grad(set_to_none=True)
    return clock() - start


def view_seconds(cfg: Config, size: int) -> float:
    """Time of making one strong view."""
    view = next(step for step in cfg.train_dataloader.dataset.pipeline
                if step.type == 'StrongView')
    view = TRANSFORMS.build(view)
    photo = np.random.default_rng(0).integers(
        0, 256, (size, size, 3)).astype(np.float32)
    start = time.process_time()
    for _ in range(20):
        view(dict(img=photo))
    return (time.process_time() - start) / 20


def main():
    args = parse_args()
    cfg = Config.fromfile(args.config)
    init_default_scope(cfg.default_scope)
    ours = build(
        cfg, args.device, start_iter=0,
        loss_fsae=dict(cfg.model.loss_fsae, threshold=0.))
    for key in ('base', 'loss_fsae', 'start_iter', 'stages'):
        cfg.model.pop(key, None)
    base = build(cfg, args.device, type='WeakSegmentor')

    classes = cfg.model.decode_head.num_classes
    batch = make_batch(args.batch, args.size, classes)
    double = make_batch(2 * args.batch, args.size, classes)
    plans = dict(base=(base, batch), fsae=(ours, batch), twice=(base, double))
    times = {name: [] for name in plans}
    for run in range(args.runs + 1):
        for name, (model, data) in plans.items():
            spent = seconds(model, data, args.device)
            if run > 0:  # the first run warms up
                times[name].append(spent)

    def ratio(name: str, reference: str) -> str:
        values = [a / b for a, b in zip(
            times[name], times[reference], strict=True)]
        return (f'{statistics.median(values):.2f} '
                f'({min(values):.2f} to {max(values):.2f})')

    print(f'{args.config}, {args.batch} x {args.size} x {args.size}, '
          f'{args.device}, {torch.get_num_threads()} threads, medians of '
          f'{args.runs}')
    for name, text in (('base', 'base'), ('fsae', 'with FSAE'),
                       ('twice', 'base on twice the photos')):
        print(f'{text}: {statistics.median(times[name]):.3f} s a step')
    print(f'FSAE / base: {ratio("fsae", "base")}')
    print(f'FSAE / base on twice the photos: {ratio("fsae", "twice")}')
    print(f'one strong view in the data loader: '
          f'{1000 * view_seconds(cfg, args.size):.1f} ms a photo')


if __name__ == '__main__':
    main()
