# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Choose the stage, the threshold and the refiner of pseudo labels.

    python tools/choose_labels.py CONFIG --stages classify=DIR shrink=DIR \\
        --refiners none irn_label --out DIR

DIR holds seeds, <id>.npz. Where images of the config's val_dataloader have masks,
these choose: the best mIoU of each stage over all thresholds, then of its labels by
each refiner. Otherwise a criterion that reads no mask gives each stage's threshold,
the stage is the one whose scores it divides best, and the refiner the last one.
Writes metrics.json, checks.json, and seeds, a link to the folder of the chosen stage.
A stage that is much worse on the masks than one before it ends with exit status 3 and
photos.png, unless --force; one that is a little worse is told of.
"""

from __future__ import annotations

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import argparse
import os
import os.path as osp
from typing import TYPE_CHECKING, Any

from mmwsss.utils import read_config, write_json
from mmwsss.utils.arguments import ToolParser
from mmwsss.utils.crf_presets import CRF_PRESETS
from mmwsss.utils.entry_point import STOPPED_BY_CHECK, run_tool
from mmwsss.utils.spread import MOST_IMAGES, spread_evenly

if TYPE_CHECKING:
    from mmwsss.evaluation.threshold_criteria import SeedStatistics

# What IRN's two thresholds are beside the best one.
MARGIN_FG, MARGIN_BG = 0.15, 0.10
# Images that show why a stage is worse.
SHOWN = 8


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = ToolParser(__doc__)
    parser.add_argument('config', help='config with the images')
    parser.add_argument(
        '--stages', nargs='+', required=True, metavar='NAME=DIR',
        help='the folders of seeds to choose from, in the order of training')
    parser.add_argument(
        '--refiners', nargs='+', default=['none'], choices=['none', *CRF_PRESETS],
        help='what may refine the thresholded seeds (default: none)')
    parser.add_argument('--out', required=True, help='folder for the choice')
    parser.add_argument(
        '--criterion', help='what chooses without masks (default: the one of '
        'mmwsss.evaluation.threshold_criteria)')
    parser.add_argument('--force', action='store_true',
                        help='end with status 0 though a stage is much worse')
    parser.add_cfg_options()
    args = parser.parse_args()
    stages = [text.partition('=')[::2] for text in args.stages]
    for text, (_, folder) in zip(args.stages, stages, strict=True):
        if not osp.isdir(folder):
            parser.error(f'--stages {text}: there is no folder {folder!r}')
    args.stages = dict(stages)
    return args


def images(dataset, with_masks: bool) -> list[dict]:
    """The images that choose, spread evenly over a dataset."""
    from mmwsss.datasets.image_ids import image_infos
    infos = image_infos(dataset)
    if with_masks:
        infos = [info for info in infos if info.get('seg_map_path')]
    return spread_evenly(infos, MOST_IMAGES['choose'])


def score(folder: str, infos: list[dict], meta: dict,
          seeds: bool) -> tuple[dict, dict]:
    """The scores of seeds, at their best threshold, or of labels on masks; details."""
    import torch
    from mmseg.registry import METRICS

    from mmwsss.evaluation.metrics.prediction_files import count_setup
    metric = dict(type='SeedMetric' if seeds else 'MaskMetric', print_classes=False)
    _, counts = count_setup(metric, meta, folder, seeds)(infos)
    scorer = METRICS.build(metric)
    scorer.dataset_meta = meta
    return scorer.summarize(torch.from_numpy(counts), [])


def score_refined(folder: str, infos: list[dict], meta: dict, bg_thr: float,
                  refiner: str) -> dict:
    """The scores of a stage's labels after a refiner."""
    import tempfile

    from mmwsss.evaluation.writers.pseudo_label_writer import pseudo_label_setup
    rule = dict(type='ThresholdLabel', bg_thr=bg_thr,
                refiner=dict(type='DenseCRF', preset=refiner))
    refine = pseudo_label_setup(rule, list(meta['palette']))
    with tempfile.TemporaryDirectory() as labels:
        for info in infos:
            name = info['img_id']
            refine((osp.join(folder, f'{name}.npz'), info['img_path'],
                    osp.join(labels, f'{name}.png')))
        return score(labels, infos, meta, seeds=False)[0]


def choose_by_masks(args: argparse.Namespace, infos: list[dict],
                    dataset) -> tuple[dict[str, Any], list[dict]]:
    """Stage, threshold and refiner of the best mIoU on masks; checks of the stages."""
    from mmwsss.evaluation.label_checks import check_class_ious, check_stages
    meta = dict(dataset.metainfo)
    rows, swept, classes = [], {}, {}
    for stage, folder in args.stages.items():
        scores, details = score(folder, infos, meta, seeds=True)
        print(f'{stage}: mIoU {scores["mIoU"]:.1f} at threshold '
              f'{scores["threshold"]:.2f}', flush=True)
        swept[stage], classes[stage] = scores, details['class_IoU']
        for refiner in args.refiners:
            refined = scores if refiner == 'none' else score_refined(
                folder, infos, meta, scores['threshold'], refiner)
            rows.append((refined['mIoU'], stage, refiner, scores['threshold']))
            if refiner != 'none':
                print(f'{stage}, {refiner}: mIoU {refined["mIoU"]:.1f}', flush=True)
    miou, stage, refiner, bg_thr = max(rows, key=lambda row: row[0])
    checks = [
        *check_stages({name: scores['mIoU'] for name, scores in swept.items()}),
        *check_class_ious(classes[stage])]
    for check in checks:
        print(check)
    failed = [check for check in checks if not check.passed]
    thresholds = {name: scores['threshold'] for name, scores in swept.items()}
    picture = draw_stages(args, infos, dataset, thresholds) if failed else ''
    entries = [check.as_entry([picture] if check in failed[:1] else [])
               for check in checks]
    return dict(stage=stage, refiner=refiner, bg_thr=bg_thr, mIoU=miou,
                by=f'{len(infos)} masks of val'), entries


def draw_stages(args: argparse.Namespace, infos: list[dict], dataset,
                thresholds: dict[str, float]) -> str:
    """A picture of the images whose seeds differ most between the stages."""
    from mmwsss.evaluation.metrics.prediction_files import prediction_file
    from mmwsss.structures import Seed
    from mmwsss.visualization.contact_sheet import save_contact_sheet
    from mmwsss.visualization.report_rows import collect_images
    columns = [dict(title=stage, seeds=folder, bg_thr=thresholds[stage])
               for stage, folder in args.stages.items()]

    def covered(stage: str, info: dict) -> float:
        seed = Seed.load(prediction_file(args.stages[stage], info, True))
        return float((seed.to_mask(thresholds[stage]) > 0).float().mean())

    def spread(info: dict) -> float:
        shares = [covered(stage, info) for stage in args.stages]
        return max(shares) - min(shares)

    shown = [info['img_id'] for info in sorted(infos, key=spread, reverse=True)]
    section = collect_images(
        dataset, 'Seeds at the best threshold', columns, shown[:SHOWN])
    path = osp.join(args.out, 'photos.png')
    save_contact_sheet(path, [section])
    print(f'photos that show it: {path}')
    return path


def measure(folder: str, infos: list[dict]) -> SeedStatistics:
    """The statistics of a stage's seeds."""
    from mmwsss.datasets.image_io import read_image
    from mmwsss.evaluation.metrics.prediction_files import prediction_file
    from mmwsss.evaluation.threshold_criteria import SeedStatistics
    from mmwsss.structures import Seed
    statistics = SeedStatistics()
    for info in infos:
        statistics.add_seed(Seed.load(prediction_file(folder, info, True)),
                            read_image(info['img_path']))
    return statistics


def choose_without_masks(args: argparse.Namespace,
                         infos: list[dict]) -> dict[str, Any]:
    """The threshold by a criterion, the stage that it divides best."""
    from mmwsss.evaluation.threshold_criteria import CRITERIA, DEFAULT_CRITERION
    name = args.criterion or DEFAULT_CRITERION
    if name not in CRITERIA:
        raise ValueError(f'--criterion must be one of {", ".join(CRITERIA)}, got '
                         f'{name!r}')
    rows = []
    for stage, folder in args.stages.items():
        statistics = measure(folder, infos)
        bg_thr = CRITERIA[name](statistics)
        contrast = float(statistics.contrast[round(bg_thr * 100)])
        rows.append((contrast, stage, bg_thr))
        print(f'{stage}: threshold {bg_thr:.2f} by {name}', flush=True)
    _, stage, bg_thr = max(rows, key=lambda row: row[0])
    return dict(stage=stage, refiner=args.refiners[-1], bg_thr=bg_thr,
                by=f'the criterion {name}, without masks')


def link(folder: str, path: str) -> None:
    """Let a relative link name a folder."""
    if osp.islink(path):
        os.remove(path)
    os.symlink(osp.relpath(folder, osp.dirname(path)), path)


def main(args: argparse.Namespace) -> int:
    """Choose."""
    from mmwsss.datasets.image_ids import image_dataset
    from mmwsss.engine import image_loader
    from mmwsss.evaluation.metrics.prediction_files import scoring_dataset
    cfg = read_config(args.config, args.cfg_options)
    loader = cfg.get('val_dataloader') or image_loader(cfg)
    dataset = image_dataset(cfg, scoring_dataset(loader.dataset, cfg))
    infos = images(dataset, with_masks=True)
    os.makedirs(args.out, exist_ok=True)
    checks: list[dict] = []
    if infos:
        chosen, checks = choose_by_masks(args, infos, dataset)
    else:
        dataset = image_dataset(cfg, image_loader(cfg).dataset)
        chosen = choose_without_masks(args, images(dataset, with_masks=False))
    chosen.update(conf_fg=min(chosen['bg_thr'] + MARGIN_FG, 0.95),
                  conf_bg=max(chosen['bg_thr'] - MARGIN_BG, 0.01))
    print(f'chosen: seeds of {chosen["stage"]}, threshold {chosen["bg_thr"]:.2f}, '
          f'refiner {chosen["refiner"]}, by {chosen["by"]}')
    link(args.stages[chosen['stage']], osp.join(args.out, 'seeds'))
    write_json(osp.join(args.out, 'metrics.json'),
               {f'chosen/{key}': value for key, value in chosen.items()})
    write_json(osp.join(args.out, 'checks.json'), checks)
    failed = any(check['status'] == 'failed' for check in checks)
    return STOPPED_BY_CHECK if failed and not args.force else 0


if __name__ == '__main__':
    run_tool(parse_args, main)
