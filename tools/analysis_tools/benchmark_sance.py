# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Which part of SANCE's training step takes how long.

Random photos of the config's crop size and random labels; the time of each part
of a step, its share, and the whole with the CRF in this process and in workers:
    python tools/analysis_tools/benchmark_sance.py configs/sance/sance_r101_voc.py
"""

import argparse
import time
from collections import defaultdict
from collections.abc import Callable
from functools import wraps

import numpy as np
import torch
from mmengine.config import DictAction
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

import mmwsss  # noqa: F401
from mmwsss.utils import read_config


def random_batch(size: tuple[int, int], num_classes: int,
                 batch_size: int) -> dict:
    """A batch of noise with two classes a photo."""
    rng = np.random.default_rng(0)
    batch = dict(inputs=[], data_samples=[])
    for i in range(batch_size):
        labels = np.zeros(num_classes, np.uint8)
        labels[[0, 1 + i % (num_classes - 1), 1 + (i + 1) % (num_classes - 1)]] = 1
        coarse = rng.choice([*np.flatnonzero(labels), 255], (8, 8))
        mask = np.kron(coarse, np.ones((-(-size[0] // 8), -(-size[1] // 8))))
        sample = SegDataSample(
            metainfo=dict(img_path=f'{i}.jpg', image_labels=labels))
        sample.gt_sem_seg = PixelData(
            data=torch.from_numpy(mask[None, :size[0], :size[1]]).long())
        batch['data_samples'].append(sample)
        # Photos are smooth, which costs the CRF less than noise.
        photo = np.kron(rng.integers(0, 256, (3, 16, 16)), np.ones(
            (-(-size[0] // 16), -(-size[1] // 16))))
        batch['inputs'].append(
            torch.from_numpy(photo[:, :size[0], :size[1]].astype(np.uint8)))
    return batch


def measure(cfg, crf_jobs: int, steps: int, device: str) -> dict[str, float]:
    """Mean seconds of each part of a step, and of the whole.

    Args:
        cfg (Config): The config of a SANCE model.
        crf_jobs (int): Worker processes of the CRF.
        steps (int): How many steps are measured, after one that is not.
        device (str): Where to train.
    """
    model_cfg = cfg.model.to_dict()
    model_cfg['backbone'].pop('init_cfg', None)
    if model_cfg['backbone'].get('pretrained'):
        model_cfg['backbone']['pretrained'] = False
    # A step with online labels.
    model_cfg.update(crf_jobs=crf_jobs, start_iter=0)
    model = MODELS.build(model_cfg).to(device).train()
    optimizer = build_optim_wrapper(model, cfg.optim_wrapper)
    size = tuple(cfg.model.data_preprocessor['size'])
    classes = model.auxiliary_head.num_classes
    seconds = defaultdict(float)

    def now() -> float:
        if device == 'cuda':
            torch.cuda.synchronize()
        return time.perf_counter()

    def timed(name: str, function: Callable) -> Callable:
        @wraps(function)
        def wrapper(*args, **kwargs):
            start = now()
            result = function(*args, **kwargs)
            seconds[name] += now() - start
            return result
        return wrapper

    model.maps = timed('forward', model.maps)
    model.online_labels = timed('random walk', model.online_labels)
    model.crf.start = timed('CRF', model.crf.start)
    model.crf.finish = timed('CRF', model.crf.finish)
    for head in (model.decode_head, model.auxiliary_head):
        head.loss_decode.forward = timed('losses', head.loss_decode.forward)
    optimizer.update_params = timed('backward and update',
                                    optimizer.update_params)
    try:
        for step in range(steps + 1):
            if step == 1:
                seconds.clear()
                start = now()
            model.train_step(
                random_batch(size, classes, cfg.train_dataloader.batch_size),
                optimizer)
        seconds['whole step'] = now() - start
    finally:
        if model.crf._pool is not None:
            model.crf._pool.close()
    return {name: value / steps for name, value in seconds.items()}


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config file of a SANCE model')
    parser.add_argument(
        '--jobs', type=int, nargs='+', default=[0, 4],
        help='numbers of worker processes of the CRF to compare')
    parser.add_argument('--steps', type=int, default=5)
    parser.add_argument(
        '--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction,
        help='settings that override the config, as key=value')
    args = parser.parse_args()
    cfg = read_config(args.config, args.cfg_options)
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    size = tuple(cfg.model.data_preprocessor['size'])
    print(f'{args.config}: batch {cfg.train_dataloader.batch_size} of {size}, '
          f'{args.device}, {torch.get_num_threads()} threads')
    for jobs in args.jobs:
        seconds = measure(cfg, jobs, args.steps, args.device)
        whole = seconds.pop('whole step')
        seconds['data and the rest'] = whole - sum(seconds.values())
        print(f'\nCRF in {jobs} workers: {whole:.3f} s a step'
              if jobs else f'\nCRF in this process: {whole:.3f} s a step')
        for name, value in seconds.items():
            print(f'  {name:20} {value:7.3f} s  {100 * value / whole:5.1f} %')


if __name__ == '__main__':
    main()
