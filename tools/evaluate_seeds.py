# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Score seed files or label maps against masks.

Seeds, best threshold:   python tools/evaluate_seeds.py CONFIG --seeds DIR
Seeds, given threshold:  ... --seeds DIR --bg-thr 0.2 (or a metrics file)
Label maps (PNG):        python tools/evaluate_seeds.py CONFIG --masks DIR

The images and their masks are those of the config's val_dataloader, or of
another by --dataloader. One count over the whole set, at image size. Prints
the protocol, writes the metrics with --out, all thresholds with --details,
the precision-recall curve with --curve.
"""

from __future__ import annotations

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import argparse
import csv
import os.path as osp
from typing import TYPE_CHECKING

from mmwsss.utils import atomic_write, read_config, write_json
from mmwsss.utils.arguments import ToolParser, bg_thr_value
from mmwsss.utils.entry_point import run_tool
from mmwsss.utils.parallel import WorkerPool, track_progress

if TYPE_CHECKING:
    import torch
    from mmengine.config import Config

# Images that a worker counts before it reports.
CHUNK = 16


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = ToolParser(__doc__)
    parser.add_argument('config', help='config file with images and masks')
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument('--seeds', help='folder of <id>.npz')
    source.add_argument('--masks', help='folder of <id>.png')
    parser.add_argument(
        '--dataloader', default='val', choices=['val', 'test', 'seed'],
        help="which of the config's sets to score on (default: val)")
    parser.add_argument('--out', help='JSON file for the metrics')
    parser.add_argument(
        '--details', help='JSON file for classes and thresholds')
    parser.add_argument(
        '--curve', help='CSV or PNG file for precision and recall of seeds at '
        'every threshold')
    parser.add_argument(
        '--bg-thr', '--threshold', type=bg_thr_value,
        help='score seeds at this threshold, or at that in a metrics file '
        '(default: the best)')
    parser.add_argument(
        '--pred-ignore', choices=['background', 'ignore'],
        help='what 255 in label maps is (default: background)')
    parser.add_argument(
        '--jobs', type=int, default=0,
        help='worker processes; 0 works in this one (default: 0)')
    parser.add_cfg_options()
    args = parser.parse_args()
    folder = args.seeds or args.masks
    if not osp.isdir(folder):
        parser.error(f'there is no folder {folder}')
    if args.masks and (args.curve or args.bg_thr is not None):
        parser.error('--curve and --bg-thr are for --seeds')
    if args.seeds and args.pred_ignore:
        parser.error('--pred-ignore is for --masks')
    if args.curve and not args.curve.endswith(('.csv', '.png')):
        parser.error(f'--curve must be a .csv or .png, got {args.curve}')
    return args


def build_metric(args: argparse.Namespace, cfg: Config) -> dict:
    """The config of the metric that the options ask for."""
    from mmwsss.evaluation.metrics.confusion_metric import (
        metric_settings,
        seed_metric_settings,
    )
    from mmwsss.evaluation.writers.origin import read_method
    if args.seeds:
        metric = seed_metric_settings(cfg)
        if args.bg_thr is not None:
            metric['bg_thr'] = args.bg_thr
    else:
        metric = metric_settings(cfg, 'MaskMetric')
        # The split and the supervision are the same for both.
        crf = read_method(args.masks) or 'see the masks'
        metric.setdefault(
            'protocol', dict(seed_metric_settings(cfg)['protocol'], crf=crf))
        if args.pred_ignore:
            metric['pred_ignore'] = args.pred_ignore
    metric['out_file'] = None
    return metric


def count_all(args: argparse.Namespace, metric: dict,
              dataset) -> tuple[torch.Tensor, int]:
    """The counts over the dataset, and the number of masks."""
    import torch

    from mmwsss.datasets.image_ids import image_infos
    from mmwsss.evaluation.metrics.prediction_files import count_setup, prediction_file
    infos, missing = [], []
    folder, seeds = args.seeds or args.masks, bool(args.seeds)
    for info in image_infos(dataset):
        if not info.get('seg_map_path'):
            continue
        path = prediction_file(folder, info, seeds)
        if not osp.exists(path):
            missing.append(path)
        infos.append(info)
    if missing:
        raise FileNotFoundError(f'{len(missing)} of {len(infos)} images have '
                                f'no prediction, first {missing[0]}')
    if not infos:
        raise ValueError('no image has a mask to score against')
    chunks = [infos[i:i + CHUNK] for i in range(0, len(infos), CHUNK)]
    total = None
    with WorkerPool(
            min(args.jobs, len(chunks)), count_setup, metric,
            dict(dataset.metainfo), folder, seeds) as pool:

        def images():
            nonlocal total
            for number, counts in pool.map(chunks):
                total = counts if total is None else total + counts
                yield from range(number)

        for _ in track_progress(images(), len(infos)):
            pass
    return torch.from_numpy(total), len(infos)


def write_curve(path: str, details: dict) -> None:
    """Write the scores at every threshold as a table or a picture."""
    names = ('thresholds', 'precision', 'recall', 'F1', 'mIoU')
    rows = list(zip(*(details[name] for name in names), strict=True))
    if path.endswith('.csv'):
        with atomic_write(path, 'w') as file:
            csv.writer(file).writerows([names, *rows])
        return
    from matplotlib.figure import Figure
    figure = Figure(figsize=(5, 5))
    axes = figure.add_subplot(
        xlabel='recall (%)', ylabel='precision (%)', xlim=(0, 100),
        ylim=(0, 100))
    axes.plot(details['recall'], details['precision'], marker='.')
    for threshold, precision, recall, *_ in rows[::10]:
        axes.annotate(f'{threshold:g}', (recall, precision))
    axes.grid(alpha=0.3)
    with atomic_write(path) as file:
        figure.savefig(file, format='png', dpi=150)


def main(args: argparse.Namespace) -> None:
    """Score."""
    from mmseg.registry import METRICS

    from mmwsss.datasets.image_ids import image_dataset
    from mmwsss.evaluation.metrics.confusion_metric import without_nan
    from mmwsss.evaluation.metrics.prediction_files import scoring_dataset
    cfg = read_config(args.config, args.cfg_options)
    loader = cfg.get(f'{args.dataloader}_dataloader')
    if loader is None:
        raise ValueError(f'{args.config} has no {args.dataloader}_dataloader')
    dataset = image_dataset(cfg, scoring_dataset(loader.dataset, cfg))
    metric_cfg = build_metric(args, cfg)
    counts, masks = count_all(args, metric_cfg, dataset)
    metric = METRICS.build(metric_cfg)
    metric.dataset_meta = dataset.metainfo
    scores, details = metric.summarize(counts, [])
    protocol = metric.protocol_line(len(dataset), masks, details)
    scores = {f'{metric.prefix}/{key}': value for key, value in scores.items()}
    for key, value in scores.items():
        print(f'{key}: {value:.2f}')
    print(protocol)
    scores['protocol'] = protocol
    if args.out:
        write_json(args.out, without_nan(scores))
    if args.details:
        write_json(args.details, without_nan(dict(scores, details=details)))
    if args.curve:
        write_curve(args.curve, details)


if __name__ == '__main__':
    run_tool(parse_args, main)
