# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""What SANCE's online labels do over its training, on features that are cached.

Crops of photos are drawn once by the training pipeline; a frozen backbone's features
of them, and of whole photos, are stored. On these the two heads of SANCE learn, with
its own losses and online labels, from the labels of CAM seeds:

    python tools/analysis_tools/sance_table.py data/voc_animals \\
        --choose ImageSets/Segmentation/train_choose.txt --out work_dirs/sance_table

The folder holds classes.txt, image_labels.json, JPEGImages, SegmentationClass and
ImageSets/Segmentation/{train,val}.txt. Masks only score. The threshold of a row is
the best one on photos of --choose, which no network sees; the row is scored on
photos of train whose crops it learnt from, as pseudo labels are. A run that is
there already is not made again.
"""

from __future__ import annotations

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import os.path as osp
from typing import TYPE_CHECKING

from frozen_features import (
    STRIDE,
    THRESHOLDS,
    Descent,
    FrozenRun,
    Images,
    at_best_threshold,
    check_folder,
    load_features,
    load_network,
    make_parser,
    stored,
    summary,
)

from mmwsss.utils.entry_point import run_tool

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable

    from torch import Tensor

    from mmwsss.models.segmentors import SANCE
    from mmwsss.structures import Seed

CONFIG = 'configs/sance/sance_mobilenetv1_animals.py'
ROWS = {
    'none': ('no online labels', dict(online=(), refined=())),
    'sance': ('online labels against a constant (SANCE)', dict()),
    'normalized': ('online labels, divided by their maximum',
                   dict(normalize_online=True)),
    'naive': ('online labels, none refined', dict(refined=())),
    'contour': ('online labels for contours', dict(online=('contour', ), refined=())),
    'segmentation': ('online labels for the segmentation',
                     dict(online=('segmentation', ), refined=())),
    'refine-segmentation': ("online labels, the segmentation's refined",
                            dict(refined=('segmentation', ))),
    'refine-both': ('online labels, both refined',
                    dict(refined=('contour', 'segmentation'))),
}
BASELINE = 'baseline: the CAM walks, contours of labels of seeds'
# Learning rate of the heads in CONFIG.
RATE = 1e-3
# Distance of the two thresholds of labels of seeds from the best one.
ABOVE, BELOW = 0.15, 0.10


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    parser.add_argument('--rows', nargs='+', choices=[*ROWS],
                        default=['sance', 'none', 'normalized'])
    parser.add_argument('--iters', type=int, default=500,
                        help='iterations (default: 500)')
    parser.add_argument('--points', type=int, nargs='+',
                        default=[62, 125, 250, 500],
                        help='iterations after which a row is scored, up to the last '
                        'one (default: after 1, 2, 4 and 8 looks at each photo)')
    parser.add_argument('--batch', type=int, default=2,
                        help='crops an iteration (default: 2)')
    parser.add_argument('--crop', type=int, default=192,
                        help='side of a crop (default: 192)')
    parser.add_argument('--long', type=int, nargs=2, default=[192, 352],
                        help='range of the long side of photos that are cropped '
                        '(default: 192 352)')
    parser.add_argument('--views', type=int, default=3,
                        help='crops of each photo (default: 3)')
    parser.add_argument('--images', '--photos', type=int, default=125,
                        help='photos of train to learn from (default: 125)')
    parser.add_argument('--scored', type=int, default=60,
                        help='of these, photos that are scored (default: 60)')
    parser.add_argument('--choosing', type=int, default=30,
                        help='photos of --choose that are used (default: 30)')
    parser.add_argument('--plot', metavar='PNG', help='draw the mIoU over training')
    args = parser.parse_args()
    if max(args.points) != args.iters:
        parser.error(f'the last one of --points must be --iters, {args.iters}')
    return args


def main(args: argparse.Namespace) -> None:
    """Make the runs that are not there, print the tables and draw the curves."""
    import torch

    from mmwsss.utils import read_json, write_json
    torch.set_num_threads(1)
    check_folder(args)
    table: Table | None = None
    runs: dict[str, list[dict]] = {row: [] for row in args.rows}
    for seed in args.seeds:
        for row in args.rows:
            path = osp.join(args.out, f'{row}_{seed}.json')
            if not osp.exists(path):
                table = table or Table(args)
                write_json(path, table.run(row, seed))
                print(f'{row}, seed {seed}: done', flush=True)
            runs[row].append(read_json(path))
    curves = {ROWS[row][0]: [run['points'] for run in many]
              for row, many in runs.items()}
    if 'none' in runs:
        curves[BASELINE] = [[dict(point['walked_cam'], iter=point['iter'])
                             for point in run['points']] for run in runs['none']]
    print_curves(curves)
    print_ends(runs)
    print_online(runs)
    print_criteria(runs)
    if args.plot:
        draw_curves(curves, args.plot)


def spread(values: Iterable[float]) -> str:
    """The mean and, of several, the range."""
    values = [*values]
    mean = f'{sum(values) / len(values):5.1f}'
    return f'{mean} ({min(values):.1f}-{max(values):.1f})'


def print_line(name: str, cells: Iterable, width: int = 56) -> None:
    """A row of a table."""
    print(f'{name:{width}}' + ''.join(f'{cell:>18}' for cell in cells))


def print_curves(curves: dict[str, list[list[dict]]]) -> None:
    """The mIoU of each row after each number of iterations."""
    steps = [point['iter'] for point in next(iter(curves.values()))[0]]
    print_line('mIoU after iterations', steps)
    for name, runs in curves.items():
        print_line(name, (spread(run[i]['mIoU'] for run in runs)
                          for i in range(len(steps))))


def print_ends(runs: dict[str, list[dict]]) -> None:
    """The scores at the end; what walks is the segmentation, or the CAM."""
    print()
    print_line('at the end', ('mIoU', 'P', 'R', 'thr, x 100'))

    def line(name: str, ends: list[dict]) -> None:
        print_line(name, (spread(end[key] * factor for end in ends) for key, factor in (
            ('mIoU', 1), ('precision', 1), ('recall', 1), ('threshold', 100))))

    first = next(iter(runs.values()))
    line('CAM', [run['cam'] for run in first])
    for row, many in runs.items():
        line(ROWS[row][0], [run['points'][-1] for run in many])
        line('  its contours, the CAM walks',
             [run['points'][-1]['walked_cam'] for run in many])


def print_online(runs: dict[str, list[dict]]) -> None:
    """What online labels are on the same crops, in percent, first and last.

    fg: share of foreground. P, R: of the classes, background included. right: share of
    the pixels that are right, of all, of those that the labels of seeds decide and of
    those that they do not. contour: mean boundary.
    """
    columns = dict(
        foreground='fg', precision='P', recall='R', right='right',
        right_decided='  where decided', right_undecided='where undecided',
        contour='contour')
    print()
    print_line(f'{"labels on crops":48} {"iter":>5}', columns.values(), 54)
    first = next(iter(runs.values()))
    for name, key in (('labels of seeds, where decided', 'seed_labels'),
                      ('masks', 'masks')):
        print_line(name, (spread(run[key][one] for run in first)
                          for one in columns if one in first[0][key]), 54)
    for row, many in runs.items():
        for i, point in enumerate(many[0]['points']):
            print_line(
                f'{ROWS[row][0]:48} {point["iter"]:>5}',
                (spread(run['points'][i]['online'][one] for run in many)
                 for one in columns), 54)


def print_criteria(runs: dict[str, list[dict]]) -> None:
    """What thresholds without masks cost on the scored images, in points of mIoU."""
    names = [*next(iter(runs.values()))[0]['criteria']]
    print()
    print_line('points below the best threshold of the same photos', ('best', *names))
    for row, many in runs.items():
        print_line(ROWS[row][0], (
            spread(run['best'] for run in many),
            *(spread(run['criteria'][name] for run in many) for name in names)))


def draw_curves(curves: dict[str, list[list[dict]]], path: str) -> None:
    """Mean and range of each row over its training (Figure 5 of the paper)."""
    from matplotlib.figure import Figure

    from mmwsss.utils import atomic_write
    figure = Figure(figsize=(6.4, 3.8), layout='constrained')
    axes = figure.add_subplot()
    for name, runs in curves.items():
        steps = [point['iter'] for point in runs[0]]
        values = [[run[i]['mIoU'] for run in runs] for i in range(len(steps))]
        line, = axes.plot(steps, [sum(one) / len(one) for one in values],
                          marker='o', markersize=3, label=name)
        axes.fill_between(steps, [min(one) for one in values],
                          [max(one) for one in values], alpha=0.2,
                          color=line.get_color(), linewidth=0)
    axes.set(xlabel='iterations', ylabel='mIoU of pseudo labels')
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    with atomic_write(path) as file:
        figure.savefig(file, format='png', dpi=100)


class Table:
    """Photos and features of all runs; ``args`` is the command line."""

    def __init__(self, args: argparse.Namespace) -> None:
        from mmengine.config import Config
        from mmengine.logging import MMLogger
        from mmengine.registry import init_default_scope

        import mmwsss  # noqa: F401
        from mmwsss.utils import project_path
        # Each model tells how it was initialised.
        MMLogger.get_instance('sance_table', log_level='WARNING')
        self.args = args
        self.images = Images(args.data, args.choose, args.size)
        self.num_classes = len(self.images.classes) + 1
        self.train = self.images.fit[:args.images]
        self.scored = self.train[:args.scored]
        self.choosing = self.images.choose[:args.choosing]
        self.config = Config.fromfile(project_path(*CONFIG.split('/'))).model
        init_default_scope('mmseg')
        self.crops, self.whole = stored(osp.join(args.out, 'maps.pt'), self.make_maps)
        self.truth = [self.crop(i, self.images.mask(crop['photo']))
                      for i, crop in enumerate(self.crops)]
        self.first_crops = [i for i, crop in enumerate(self.crops)
                            if crop['photo'] in self.scored and i % args.views == 0]

    def crop(self, number: int, mask: Tensor | None = None) -> Tensor | dict:
        """A crop of an image, always the same one of a number: what the training
        pipeline makes of the image, or that part (c, c) of a mask."""
        import numpy as np
        import torch
        from mmcv.transforms import Compose
        args = self.args
        low, high = args.long
        transform = Compose([
            dict(type='RandomResizeLong', min_long=low, max_long=high),
            dict(type='RandomFlip', prob=0.5),
            dict(type='RandomCropPad', crop_size=args.crop, pad_val=(127.5, ) * 3)])
        n = self.train[number // args.views]
        results = dict(img=self.images.image(n).permute(1, 2, 0).numpy())
        if mask is not None:
            results.update(gt_seg_map=mask.numpy(), seg_fields=['gt_seg_map'])
        np.random.seed(number)
        results = transform(results)
        if mask is not None:
            return torch.from_numpy(results['gt_seg_map'])
        return dict(photo=n, box=results['valid_box'],
                    image=torch.from_numpy(results['img'].transpose(2, 0, 1)).byte())

    def make_maps(self) -> tuple[list[dict], dict[int, list]]:
        """The crops with their features, and features of whole images."""
        import torch
        from rich.progress import track
        network, mean, std = load_network(self.args)

        def features(image: Tensor) -> list[Tensor]:
            with torch.no_grad():
                maps = network(((image / 255 - mean) / std)[None])
            # The contour branch reduces the first feature to the second's size.
            first = torch.nn.functional.adaptive_avg_pool2d(
                maps[0], maps[1].shape[2:])
            return [one[0].half() for one in (first, *maps[1:])]

        count = len(self.train) * self.args.views
        crops = [self.crop(i) for i in range(count)]
        for crop in track(crops, 'crops'):
            crop['features'] = features(crop['image'])
        whole = {n: features(self.images.image(n))
                 for n in track([*self.choosing, *self.scored], 'photos')}
        return crops, whole

    def make_seeds(self, seed: int) -> dict:
        """Train ESOL's classifier on the images that choose nothing; its CAM and
        labels of two thresholds and their CRFs, as in IRN."""
        import torch

        from mmwsss.models.heads import ESOLHead
        from mmwsss.models.refiners import IRNLabel
        from mmwsss.ops import max_norm
        from mmwsss.structures import Seed
        images, args = self.images, self.args
        features = load_features(images, args)
        run = FrozenRun(images, features, seed, args)
        torch.manual_seed(seed)
        # Two convolutions before the classifier: CAM of one layer on frozen features
        # is too weak to begin with.
        head = ESOLHead(features.shape[2], self.num_classes, mid_channels=64)
        run.train_head(
            head, args.classifier_iters, RATE,
            lambda features, batch, _: head.loss_decode(
                run.pool(batch, head((features, )).maps), images.tags[batch]))

        def cam(n: int) -> Tensor:
            rows, columns = images.covered(n, STRIDE)
            with torch.no_grad():
                maps = head((features[n, :1], )).maps[0].relu()
            maps[:, rows:], maps[:, :, columns:] = 0, 0
            return max_norm(maps) * images.tags[n][:, None, None]

        cams = {n: cam(n) for n in (*self.choosing, *self.train)}
        scores = at_best_threshold(*(
            run.threshold_scores(cams.__getitem__, numbers)
            for numbers in (self.scored, self.choosing)))
        threshold = scores['threshold']
        rule = IRNLabel(threshold + ABOVE, max(threshold - BELOW, 0.02))
        labels = {}
        for n in self.train:
            present = images.tags[n].nonzero().flatten()
            seed_of_image = Seed(images.at_image(n, cams[n][present]).clamp(0, 1),
                                 present + 1, images.sizes[n])
            labels[n] = rule(seed_of_image, images.image(n).float())
        return dict(cams=cams, labels=labels, scores=scores)

    def run(self, row: str, seed: int) -> dict:
        """Train the heads as a row says; all its scores."""
        import torch
        args = self.args
        seeds = stored(osp.join(args.out, f'seeds_{seed}.pt'),
                       lambda: self.make_seeds(seed))
        labels = [self.crop(i, seeds['labels'][crop['photo']])
                  for i, crop in enumerate(self.crops)]
        torch.manual_seed(seed)
        model = self.make_model(ROWS[row][1])
        descent = Descent(model.parameters(), args.iters, RATE)
        points, order = [], []
        for step in range(args.iters):
            if len(order) < args.batch:
                order += torch.randperm(len(self.crops)).tolist()
            batch, order = order[:args.batch], order[args.batch:]
            losses = model.loss(*self.batch(model, batch, labels))
            descent.step(sum(losses.values()))
            if step + 1 in args.points:
                model.eval()
                with torch.no_grad():
                    points.append(dict(
                        self.score(model), iter=step + 1,
                        online=self.online(model, labels)))
                    if row == 'none' or step + 1 == args.iters:
                        points[-1].update(
                            walked_cam=self.score(model, seeds['cams']))
                model.train()
        result = dict(points=points, cam=seeds['scores'], **self.label_scores(labels))
        with torch.no_grad():
            return {**result, **self.criteria(model.eval())}

    def make_model(self, options: dict) -> SANCE:
        """SANCE on stored features."""
        import copy

        import torch
        from mmseg.registry import MODELS

        class Stored(torch.nn.Module):
            """A backbone whose features are there already."""

            features: tuple[Tensor, ...] = ()

            def forward(self, images: Tensor) -> tuple[Tensor, ...]:
                return self.features

        config = copy.deepcopy(self.config)
        channels = [len(one) for one in self.crops[0]['features']]
        config.decode_head.update(num_classes=self.num_classes, in_channels=channels)
        config.auxiliary_head.update(
            num_classes=self.num_classes, in_channels=channels[-1])
        model = MODELS.build(dict(
            config, backbone=dict(type=Stored), frozen=(), **options))
        model.init_weights()
        return model.train()

    def show(self, model: SANCE, views: list[list[Tensor]]) -> None:
        """Let a model's backbone answer stored features."""
        import torch
        model.backbone.features = tuple(
            torch.stack(maps).float() for maps in zip(*views, strict=True))

    def batch(self, model: SANCE, numbers: list[int],
              labels: list[Tensor]) -> tuple[Tensor, list]:
        """Images and samples of crops."""
        import torch
        from mmengine.structures import PixelData
        from mmseg.structures import SegDataSample
        crops = [self.crops[i] for i in numbers]
        self.show(model, [crop['features'] for crop in crops])
        samples = []
        for i, crop in zip(numbers, crops, strict=True):
            sample = SegDataSample(gt_sem_seg=PixelData(data=labels[i][None].long()))
            sample.set_metainfo(
                dict(valid_box=crop['box'], **self.tags(crop['photo'])))
            samples.append(sample)
        images = torch.stack([crop['image'] for crop in crops]).float()
        preprocessor = model.data_preprocessor
        return (images - preprocessor.mean) / preprocessor.std, samples

    def tags(self, n: int) -> dict:
        """The image labels of an image as a dataset gives them."""
        import numpy as np
        labels = np.ones(self.num_classes, np.uint8)
        labels[1:] = self.images.tags[n].numpy()
        return dict(tags=labels)

    def seed(self, model: SANCE, n: int, cam: Tensor | None = None) -> Seed:
        """The pseudo seed of an image from one view: the segmentation, or a CAM
        (K, g, g) of the square, after a walk inside the contours."""
        from torch.nn import functional as F
        self.show(model, [self.whole[n]])
        # The backbone looks at no image.
        logits, contour = model.maps(model.data_preprocessor.mean[None])
        scores = logits[0].softmax(0)
        if cam is not None:
            maps = self.images.at_image(n, cam)
            scores[1:] = F.interpolate(
                maps[None], scores.shape[1:], mode='bilinear', align_corners=False)[0]
        return model.pseudo_seed(scores, contour[0].sigmoid(), dict(
            ori_shape=self.images.sizes[n], **self.tags(n)))

    def curve(self, seeds: Callable[[int], Seed], numbers: Iterable[int]) -> list[dict]:
        """The scores of seeds at each of THRESHOLDS."""
        def at_image(n: int) -> tuple[Tensor, Tensor]:
            seed = seeds(n)
            return seed.upsample(), seed.labels

        return self.images.threshold_scores(at_image, numbers)

    def score(self, model: SANCE, cams: dict[int, Tensor] | None = None) -> dict:
        """The scores of pseudo labels at the threshold of the images that choose."""
        def seeds(n: int) -> Seed:
            return self.seed(model, n, cams and cams[n])

        return at_best_threshold(*(self.curve(seeds, numbers)
                                   for numbers in (self.scored, self.choosing)))

    def online(self, model: SANCE, labels: list[Tensor]) -> dict:
        """What online labels of the scored images' crops are, without refinement."""
        import torch
        made, contours = [], []
        for i in self.first_crops:
            images, samples = self.batch(model, [i], labels)
            logits, contour = model.maps(images)
            boundary = contour.sigmoid()
            rows, columns = self.grid().box(self.crops[i]['box'])
            contours.append(boundary[..., rows, columns].mean())
            made.append(model.online_labels(
                logits.softmax(1), boundary, model._present(samples, images.device),
                [(rows, columns)])[0])
        return dict(self.quality(self.first_crops, made, labels),
                    contour=float(100 * torch.stack(contours).mean()))

    def grid(self):
        """Which pixels of a crop the cells of the contours' map stand for."""
        from mmwsss.structures import LabelGrid
        return LabelGrid((self.args.crop, ) * 2,
                         self.crops[0]['features'][1].shape[1:])

    def label_scores(self, labels: list[Tensor]) -> dict:
        """What the labels of seeds and the masks are on the crops of `online`."""
        return {name: self.quality(
                    self.first_crops,
                    [self.grid().sample(many[i]) for i in self.first_crops], labels)
                for name, many in (('seed_labels', labels), ('masks', self.truth))}

    def quality(self, numbers: list[int], made: list[Tensor],
                labels: list[Tensor]) -> dict:
        """Scores of labels (h, w) of crops, in percent, where they are decided."""
        from mmwsss.ops.seed_confusion import mask_confusion
        grid, parts = self.grid(), {}
        for i, one in zip(numbers, made, strict=True):
            decided = grid.sample(labels[i]) != 255
            for key, cells in (('decided', decided), ('undecided', ~decided)):
                parts[key] = parts.get(key, 0) + mask_confusion(
                    one.masked_fill(~cells, 255), grid.sample(self.truth[i]),
                    self.num_classes, pred_ignore='ignore')
        parts[''] = parts['decided'] + parts['undecided']
        right = {f'right_{key}'.rstrip('_'): float(
            100 * one.diagonal().sum() / one.sum().clamp(min=1))
            for key, one in parts.items()}
        return dict(
            summary(parts['']), **right,
            foreground=float(100 * parts[''][:, 1:].sum() / parts[''].sum()),
            undecided=float(100 * parts['undecided'].sum() / parts[''].sum()))

    def criteria(self, model: SANCE) -> dict:
        """What thresholds without masks cost on the scored images."""
        from mmwsss.evaluation.threshold_criteria import CRITERIA, SeedStatistics
        statistics = SeedStatistics()
        seeds = {n: self.seed(model, n) for n in self.scored}
        for n, seed in seeds.items():
            statistics.add_seed(seed, self.images.image(n).permute(1, 2, 0).numpy())
        curve = [one['mIoU'] for one in self.curve(seeds.__getitem__, self.scored)]
        thresholds = {name: rule(statistics) for name, rule in CRITERIA.items()}
        thresholds.update({f'fixed {one}': one for one in (0.15, 0.3, 0.4)})
        nearest = {name: min(range(len(curve)), key=lambda i, t=one: abs(
            THRESHOLDS[i] - t)) for name, one in thresholds.items()}
        return dict(best=max(curve), curve=curve, thresholds=thresholds, criteria={
            name: max(curve) - curve[i] for name, i in nearest.items()})


if __name__ == '__main__':
    run_tool(parse_args, main)
