# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""What each part of FSAE does to class maps, on features that are cached.

Features of each photo, of its mirror image and of strong views of both are stored
once; CAMHead and ESOLHead learn on them with FSAELoss itself. Every row goes on from
one classifier and sees the same photos; the base differs in the loss alone.

    python tools/analysis_tools/fsae_table.py data/voc_animals \\
        --choose ImageSets/Segmentation/train_choose.txt --out work_dirs/fsae_table

The folder holds classes.txt, image_labels.json, JPEGImages, SegmentationClass and
ImageSets/Segmentation/{train,val}.txt. Masks only score and choose. The threshold of
a row, and FSAE's temperature and background, are the best ones on the photos of
--choose, which no network sees; the row is scored on other photos of train. A row
that is there already is not made again.
"""

from __future__ import annotations

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import os.path as osp
from typing import TYPE_CHECKING

from frozen_features import (
    STRIDE,
    Descent,
    FrozenNetwork,
    FrozenRun,
    Images,
    at_best_threshold,
    common_rows,
    make_parser,
    make_runs,
    stored,
)

from mmwsss.utils import read_json, write_json
from mmwsss.utils.entry_point import run_tool

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from torch import Tensor, nn

    from mmwsss.models.losses import FSAELoss

# Of the image, and as many of its mirror image.
VIEWS = 2
BATCH = 8
TEMPERATURES = (0.25, 0.5, 1., 2., 4., 8.)
BACKGROUNDS = (0., 1., 2., 3., 4., 6., 8., 12., 16., 24.)
LEAST_OBJECTS = 0.1
ONE_MINUS = 'background one minus maximum'


def strong_features(images: Images, args: argparse.Namespace, numbers: list[int],
                    num_ops: int, features: Tensor) -> Tensor:
    """Features (n, 2, VIEWS, K, g, g) of strong views of images and of their mirror
    images, in half precision.

    Raises:
        ValueError: If the features of images have another basis.
    """
    import random

    import numpy as np
    import torch
    from mmseg.registry import TRANSFORMS
    from rich.progress import track

    import mmwsss.datasets  # noqa: F401
    network = FrozenNetwork(images, args)
    first = numbers[0]
    again = network.features(first, images.image(first)[None])[0].float()
    if not torch.allclose(again, features[first, 0], rtol=0.02, atol=0.02):
        raise ValueError('the stored features of photos have another basis or network; '
                         'remove them')
    strong_view = TRANSFORMS.build(dict(type='StrongView', num_ops=num_ops))
    strong = torch.zeros(len(numbers), 2 * VIEWS, *features.shape[2:],
                         dtype=torch.half)
    random.seed(num_ops)
    np.random.seed(num_ops)
    for one, n in zip(track(strong, f'{num_ops} operations'), numbers, strict=True):
        # Blue first, as images are loaded in training.
        image = images.image(n).flip(0).permute(1, 2, 0).numpy()
        views = [strong_view(dict(img=np.ascontiguousarray(turned)))['strong_img']
                 for turned in (image, image[:, ::-1]) for _ in range(VIEWS)]
        one[:] = network.features(
            n, torch.from_numpy(np.stack(views)).permute(0, 3, 1, 2).flip(1))
    return strong.unflatten(1, (2, VIEWS))


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    parser.add_argument('--width', type=int, default=64, help="channels of ESOL's "
                        'convolutions (default: 64)')
    parser.add_argument('--iters', type=int, default=100, help='iterations of each row '
                        'after the classifier (default: 100)')
    parser.add_argument('--images', '--photos', type=int, default=200,
                        help='photos of train that rows learn from and are scored '
                        'on (default: 200)')
    parser.add_argument('--sweeps', action='store_true', help="also the paper's Tables "
                        "7 to 10, and other readings of the loss, with ESOL's head")
    parser.add_argument('--operations', type=int, nargs='*', default=[1, 5, 7],
                        help='of the strong views of Table 8, beside 3 (default: '
                        '1 5 7)')
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    """Make the runs that are not there, and print the table."""
    print_table(make_runs(args, Run, 'sweeps' if args.sweeps else 'scores'))


def print_table(runs: list[dict]) -> None:
    """The mean of each row over the runs, with the range of the mIoU.

    gain: over the base, mean and least one of the runs. covered, accuracy: of online
    labels, in the first and in the last third of a row's iterations. T, bg: the
    loss's temperature and background.
    """
    print(f'{"":64} {"choose":>6} {"mIoU":>5} {"range":>10} {"gain":>5} {"least":>5} '
          f'{"P":>5} {"R":>5} {"thr":>5} {"FPR":>5} {"FNR":>5} {"covered":>9} '
          f'{"accuracy":>9} {"T":>4} {"bg":>4}')
    for row in common_rows(runs):
        mean = {key: sum(run[row][key] for run in runs) / len(runs)
                for key in runs[0][row]}
        values = [run[row]['mIoU'] for run in runs]
        gains = [run[row]['mIoU'] - run[row.split(':')[0] + ': base']['mIoU']
                 for run in runs]
        print(f'{row:64} {mean["choose"]:6.1f} {mean["mIoU"]:5.1f} {min(values):5.1f}-'
              f'{max(values):.1f} {sum(gains) / len(gains):5.1f} {min(gains):5.1f} '
              f'{mean["precision"]:5.1f} {mean["recall"]:5.1f} '
              f'{mean["threshold"]:5.2f} {mean["FPR"]:5.1f} {mean["FNR"]:5.1f}', end='')
        if 'temperature' in mean:
            print(f' {mean["covered_first"]:4.2f}-{mean["covered_last"]:4.2f} '
                  f'{mean["accuracy_first"]:4.2f}-{mean["accuracy_last"]:4.2f} '
                  f'{mean["temperature"]:4.2f} {mean["background_logit"]:4.1f}', end='')
        print()


class Run(FrozenRun):
    """One run of all rows."""

    def __init__(self, images: Images, features: Tensor, seed: int,
                 args: argparse.Namespace) -> None:
        super().__init__(images, features, seed, args)
        self.scored = images.fit[:args.images]
        self.truths: dict[tuple[int, int], Tensor] = {}
        self.path = osp.join(args.out, f'rows_{seed}.json')
        self.rows: dict[str, dict] = read_json(self.path) if osp.exists(
            self.path) else {}

    def scores(self) -> dict[str, dict]:
        """The scores of each row."""
        import torch

        from mmwsss.models.heads import CAMHead, ESOLHead
        channels = self.features.shape[2]
        for name, build in (
                ('ESOL', lambda: ESOLHead(
                    channels, self.num_classes, mid_channels=self.args.width)),
                ('CAM', lambda: CAMHead(channels, self.num_classes))):
            torch.manual_seed(self.seed)
            head = build()
            path = osp.join(self.args.out, f'{name}_{self.seed}.pth')
            head.load_state_dict(stored(path, lambda head=head: self.classify(head)))
            if f'{name}: classifier' not in self.rows:
                self.add(f'{name}: classifier', head)
            self.table(name, head)
            if self.args.sweeps and name == 'ESOL':
                torch.manual_seed(self.seed)
                self.sweeps(name, head, build())
        return self.rows

    def classify(self, head: nn.Module) -> dict[str, Tensor]:
        """The weights of a head that learns from image labels alone."""
        self.learn(head, self.args.classifier_iters, self.images.fit)
        return head.state_dict()

    def table(self, name: str, head: nn.Module) -> None:
        """Add the rows of one head: Table 6, at several settings and scales of the
        loss."""
        best = self.search(head)
        one_minus = dict(background='one_minus_max', temperature=0.1)
        rows: list[tuple[str, dict]] = [
            ('base', dict(threshold=1.1)),
            ('+ FAE, T 1, bg 0', dict(kernel_size=1)),
            ('+ FAE + SAE, T 1, bg 0', {}),
            ('+ FAE', dict(kernel_size=1, **best)),
            ('+ FAE + SAE', best),
            ('+ FAE + SAE, bg 0', self.search(head, backgrounds=(0., ))),
            ('+ FAE + SAE, T 1', self.search(head, temperatures=(1., ))),
            (f'+ FAE + SAE, {ONE_MINUS}', one_minus),
            ('+ FAE + SAE, sum of cells', dict(best, reduction='sum')),
            (f'+ FAE + SAE, {ONE_MINUS}, sum of cells',
             dict(one_minus, reduction='sum')),
            ('+ FAE, sum of cells', dict(best, reduction='sum', kernel_size=1)),
            ('+ FAE + SAE, T 1, bg 0, sum of cells', dict(reduction='sum')),
            *((f'+ FAE + SAE, lambda {one}', dict(best, loss_weight=one))
              for one in (10., 100.)),
        ]
        for what, options in rows:
            self.further(f'{name}: {what}', head, options)

    def sweeps(self, name: str, head: nn.Module, untrained: nn.Module) -> None:
        """Add the rows of the paper's Tables 7 to 10, of other readings, and of FSAE
        from the first iteration on."""
        best = self.search(head)
        self.further(f'{name}: + FAE + SAE, sum of cells, photos unchanged', head,
                     dict(best, reduction='sum'), num_ops=None)
        for what, options in (
                ('base', dict(threshold=1.1)), ('+ FAE + SAE, T 1, bg 0', {}),
                (f'+ FAE + SAE, {ONE_MINUS}',
                 dict(background='one_minus_max', temperature=0.1))):
            self.further(f'{name} from scratch: {what}', untrained, options, iters=2)
        rows: list[tuple[str, dict]] = [
            *((f'+ FAE, tau_FAE {one}', dict(kernel_size=1, threshold=one))
              for one in (0.8, 0.99, 0.9, 0.85)),
            *((f'+ FAE + SAE, k {one}', dict(kernel_size=one)) for one in (5, 7)),
            *((f'+ FAE + SAE, tau_SAE {one}', dict(ring_threshold=one))
              for one in (0., 0.9, 0.6, 0.7)),
            ('+ FAE + SAE, mean of sure cells', dict(reduction='mean_valid')),
            ('+ FAE + SAE, all classes', dict(label_filter='none')),
            (f'+ FAE + SAE, {ONE_MINUS}, T 0.2', dict(
                background='one_minus_max', background_logit=0., temperature=0.2)),
        ]
        for what, options in rows:
            self.further(f'{name}: {what}', head, {**best, **options})
        for num_ops in self.args.operations:
            self.further(f'{name}: + FAE + SAE, {num_ops} operations', head, best,
                         num_ops)

    def further(self, name: str, head: nn.Module, options: dict,
                num_ops: int | None = 3, iters: int = 1) -> None:
        """Add a row that goes on from a head, unless it is there, for ``iters`` times
        --iters. Without ``num_ops`` the weak view is the strong one, too."""
        import copy

        import torch

        from mmwsss.models.losses import FSAELoss
        if name in self.rows:
            return
        head = copy.deepcopy(head)
        torch.manual_seed(self.seed)
        loss = FSAELoss(**options)
        if num_ops is None:
            strong = self.features[self.scored][:, :, None].expand(
                -1, -1, VIEWS, -1, -1, -1)
        else:
            path = osp.join(self.args.out, f'strong_{num_ops}.pt')
            strong = stored(path, lambda: strong_features(
                self.images, self.args, self.scored, num_ops, self.features))
        online = self.learn(
            head, iters * self.args.iters, self.scored, loss, strong)
        if loss.threshold <= 1:
            online.update(temperature=loss.temperature,
                          background_logit=loss.background_logit)
        self.add(name, head, online)

    def search(self, head: nn.Module,
               temperatures: Sequence[float] = TEMPERATURES,
               backgrounds: Sequence[float] = BACKGROUNDS) -> dict[str, float]:
        """The temperature and the background whose labels are the most accurate ones
        on the images that choose, of those that label LEAST_OBJECTS of the cells as
        objects (all background is fairly accurate, too)."""
        from mmwsss.models.losses import FSAELoss
        numbers = self.images.choose
        maps, valid = self.maps(head, numbers), self.inside(numbers)[:, 0]
        tags = self.images.tags[numbers]
        found = []
        for temperature in temperatures:
            for background in backgrounds:
                options = dict(temperature=temperature, background_logit=background)
                labels, sure, _ = FSAELoss(**options).pseudo_labels(
                    maps, tags, valid=valid)
                shares = self.shares([self.online(
                    numbers, [0] * len(numbers), labels, sure, valid)])
                enough = shares['objects'] >= LEAST_OBJECTS
                found.append((enough, shares['accuracy'], options))
        return max(found, key=lambda one: one[:2])[2]

    def learn(self, head: nn.Module, iters: int, images: list[int],
              loss_fsae: FSAELoss | None = None,
              strong: Tensor | None = None) -> dict[str, float]:
        """Train a head by AdamW with polynomial decay on image labels and, where
        there are strong views, with FSAE.

        Returns:
            dict[str, float]: Covered share and accuracy of the online labels in the
            first and in the last third.
        """
        import torch
        place = {n: i for i, n in enumerate(images)}
        descent, counts = Descent(head.parameters(), iters), []
        for batch, mirrored in self.batches(iters, BATCH, images):
            # Drawn in every row, so that all see the same images.
            views = torch.randint(0, VIEWS, (len(batch), )).tolist()
            tags = self.images.tags[batch]
            weak = head((self.inputs(batch, mirrored), )).scores
            loss = head.loss_decode(self.pool(batch, weak), tags)
            if loss_fsae is not None:
                valid = self.inside(batch)[:, 0]
                labels, sure, _ = loss_fsae.pseudo_labels(
                    weak.detach(), tags, valid=valid)
                counts.append(self.online(batch, mirrored, labels, sure, valid))
                if sure.any():
                    inputs = torch.stack([
                        strong[place[n], flip, view] for n, flip, view in zip(
                            batch, mirrored, views, strict=True)]).float()
                    loss = loss + loss_fsae(head((inputs, )).scores, labels, sure,
                                            tags, valid=valid)
            descent.step(loss)
        third = -(-len(counts) // 3)
        return {f'{key}_{part}': value for part, some in
                (('first', counts[:third]), ('last', counts[-third:])) if some
                for key, value in self.shares(some).items()}

    def online(self, batch: list[int], mirrored: list[int], labels: Tensor,
               sure: Tensor, valid: Tensor) -> Tensor:
        """Counts of cells: of images, sure, sure and scored, correct, labelled as an
        object and scored, and of those the correct ones."""
        import torch
        truth = torch.stack([self.truth(n, flip) for n, flip in zip(
            batch, mirrored, strict=True)])
        scored = sure & (truth != 255)
        right = scored & (labels == truth)
        objects = scored & (labels > 0)
        return torch.stack([one.sum() for one in (
            valid, sure, scored, right, objects, objects & right)])

    @staticmethod
    def shares(counts: list[Tensor]) -> dict[str, float]:
        """Covered share and accuracy of all online labels, accuracy of objects'."""
        cells, sure, scored, right, objects, found = sum(counts).tolist()
        return dict(covered=sure / cells, accuracy=right / max(scored, 1),
                    objects=objects / cells, object_accuracy=found / max(objects, 1))

    def truth(self, n: int, flip: int) -> Tensor:
        """Classes (g, g) in the middle of cells, 255 outside of the image."""
        import torch
        if (n, flip) in self.truths:
            return self.truths[n, flip]
        mask = self.images.mask(n)
        square = torch.full((self.images.size, ) * 2, 255, dtype=torch.uint8)
        square[:mask.shape[0], :mask.shape[1]] = mask.flip(-1) if flip else mask
        self.truths[n, flip] = square[STRIDE // 2::STRIDE, STRIDE // 2::STRIDE].clone()
        return self.truths[n, flip]

    def add(self, name: str, head: nn.Module, online: dict | None = None) -> None:
        """Score a row at the threshold that is best on the images that choose."""
        choose, scored = (self.seed_scores(self.maps(head, numbers), numbers)
                          for numbers in (self.images.choose, self.scored))
        self.rows[name] = dict(
            at_best_threshold(scored, choose),
            choose=max(one['mIoU'] for one in choose), **online or {})
        write_json(self.path, self.rows)


if __name__ == '__main__':
    run_tool(parse_args, main)
