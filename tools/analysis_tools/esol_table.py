# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""What each part of ESOL does to class maps, on features that are cached.

Free offsets, one field a photo, follow the gradient of the image-level loss up or
down, with nothing that learns: how far the samplers of ESOL can go at all. Then
the stages of ESOLHead itself, and what the paper leaves open about them.

    python tools/analysis_tools/esol_table.py data/voc_animals \\
        --choose ImageSets/Segmentation/train_choose.txt --out work_dirs/esol_table

The folder holds classes.txt, image_labels.json, JPEGImages, SegmentationClass and
ImageSets/Segmentation/{train,val}.txt. Masks only score. The threshold of a row is
the best one on the photos of --choose, which no network sees; the row is scored on
other photos of train. A run that is there already is not made again.
"""

from __future__ import annotations

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

from typing import TYPE_CHECKING

from frozen_features import (
    THRESHOLDS,
    Descent,
    FrozenRun,
    Images,
    at_best_threshold,
    make_parser,
    make_runs,
    print_rows,
)

from mmwsss.utils.entry_point import run_tool

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from torch import Tensor, nn

    from mmwsss.models.heads import ESOLHead

BETA = 0.15
STEP = 0.3
FARTHEST = 3.
OFFSET_RATE = 1e-3
ORACLE_STEPS = (1, 2, 4, 8)
PARTS = ('oracle', 'stages', 'baselines')
# P, R: at the row's threshold, thr. P0, R0: at that of the class maps. lower: the
# share of all thresholds at which recall is below that of the class maps. offset:
# mean length in cells. above: the share of values behind the first convolution that
# clipping cuts.
COLUMNS = dict(
    mIoU=('mIoU', 5, 1), precision=('P', 5, 1), recall=('R', 5, 1),
    threshold=('thr', 5, 2), precision_there=('P0', 5, 1), recall_there=('R0', 5, 1),
    lower=('lower', 5, 2), offset=('offset', 6, 2), above=('above', 5, 2))


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    parser.add_argument('--width', type=int, default=64, help='channels of both '
                        'convolutions (default: 64)')
    parser.add_argument('--stage-iters', type=int, default=150, help='iterations of '
                        'expand, and of shrink (default: 150)')
    parser.add_argument('--images', '--photos', type=int, default=300,
                        help='photos of train that rows are scored on (default: 300)')
    parser.add_argument('--enlarge', type=int, default=1, metavar='TIMES', help='show '
                        'the network each photo so many times as large (default: 1)')
    parser.add_argument('--parts', nargs='+', choices=PARTS, default=PARTS,
                        help='(default: all)')
    parser.add_argument('--plot', metavar='PNG', help='draw the recall of free offsets')
    args = parser.parse_args()
    if args.plot and 'oracle' not in args.parts:
        parser.error('--plot draws the part oracle')
    return args


def main(args: argparse.Namespace) -> None:
    """Make the runs that are not there, and print the table."""
    runs = make_runs(args, Run, enlarge=args.enlarge)
    print_rows(runs, 70, COLUMNS)
    if args.plot:
        draw_recalls(runs, args.plot)


def draw_recalls(runs: list[dict], path: str) -> None:
    """Draw recall over the threshold, of the class maps and of free offsets."""
    from matplotlib.figure import Figure

    from mmwsss.utils import atomic_write
    figure = Figure(figsize=(6.4, 3.8), layout='constrained')
    axes = figure.add_subplot()
    for name, row, style in (
            ('class maps', 'classify', 'k-'),
            ('up, one step', 'free offsets: ascent, 1 steps', 'C3:'),
            ('up, four steps', 'free offsets: ascent, 4 steps', 'C3-'),
            ('down, one step', 'free offsets: descent, 1 steps', 'C0:'),
            ('down, four steps', 'free offsets: descent, 4 steps', 'C0-')):
        recalls = [run[row]['recalls'] for run in runs]
        axes.plot(THRESHOLDS, [sum(one) / len(one) for one in zip(
            *recalls, strict=True)], style, label=name)
    axes.set(xlabel='threshold', ylabel='recall (%)', xlim=(0, THRESHOLDS[-1]))
    axes.grid(alpha=0.3)
    axes.legend(title='offsets go ... the loss')
    with atomic_write(path) as file:
        figure.savefig(file, format='png', dpi=100)


class Run(FrozenRun):
    """One run of all rows."""

    def __init__(self, images: Images, features: Tensor, seed: int,
                 args: argparse.Namespace) -> None:
        super().__init__(images, features, seed, args)
        self.scored = images.fit[:args.images]
        self.numbers = [*images.choose, *self.scored]
        self.rows: dict[str, dict] = {}

    def scores(self) -> dict[str, dict]:
        """The scores of each row."""
        head = self.classify()
        # The first row is the one that the others are compared with.
        self.add('classify', self.maps(head, self.numbers), head)
        for part in self.args.parts:
            getattr(self, part)(head)
        return self.rows

    def oracle(self, head: ESOLHead) -> None:
        """Add the rows of free offsets."""
        for clip in (None, BETA):
            if clip:
                self.add('classify, clipped', self.in_batches(
                    lambda x: self.sampled(head, x, BETA), self.numbers))
            for way, sign in (('ascent', 1), ('descent', -1)):
                self.follow(head, way, sign, clip)

    def baselines(self, head: ESOLHead) -> None:
        """Add rows of other ways to put two convolutions before the classifier."""
        from mmwsss.models.heads import CAMHead
        channels = self.features.shape[2]
        for name, make in (
                ('no convolution (CAM)', lambda: CAMHead(channels, self.num_classes)),
                ('1x1 kernels', lambda: self.make_head(kernel_size=1)),
                ('1x1 kernels, identity, all channels', lambda: self.make_head(
                    kernel_size=1, mid_channels=channels, conv_init='identity'))):
            other = self.classify(make())
            self.add(f'classify: {name}', self.maps(other, self.numbers), other)

    def make_head(self, **kwargs) -> ESOLHead:
        """ESOL's head for these features."""
        from mmwsss.models.heads import ESOLHead
        options = dict(mid_channels=self.args.width, clip_ratio=BETA)
        return ESOLHead(self.features.shape[2], self.num_classes,
                        **{**options, **kwargs})

    def classify(self, head: nn.Module | None = None) -> nn.Module:
        """Train a head on image labels, as in the stage classify."""
        import torch
        torch.manual_seed(self.seed)
        head = head or self.make_head()
        return self.learn(head, self.args.classifier_iters, kernels=1e-3)

    def learn(self, head: nn.Module, iters: int, kernels: float = 0.,
              farthest: float = float('inf')) -> nn.Module:
        """Train what a stage leaves free, at falling rates.

        Args:
            head (nn.Module): The head, in its stage.
            iters (int): Iterations of 16 images.
            kernels (float): Rate of kernels and classifier, by AdamW.
            farthest (float): Ends the stage where offsets are so long in the mean.
        """
        free = {name: one for name, one in head.named_parameters() if one.requires_grad}
        moving = [one for name, one in free.items() if 'conv_offset' in name]
        fixed = [one for name, one in free.items() if 'conv_offset' not in name]
        # With SGD and the paper's rates the offsets of most features stay at zero.
        descent = Descent([
            dict(params=fixed, lr=kernels),
            dict(params=moving, lr=OFFSET_RATE, weight_decay=0.)], iters)
        for batch, mirrored in self.batches(iters):
            class_maps = head((self.inputs(batch, mirrored), ))
            loss = self.loss(head, batch, class_maps.maps)
            if offset_length(head) > farthest:
                break
            descent.step(loss)
        return head

    def loss(self, head: nn.Module, batch: list[int], maps: Tensor) -> Tensor:
        """The losses of a head's stage, of a batch."""
        tags, logits = self.images.tags[batch], self.pool(batch, maps)
        stage = getattr(head, 'stage', 'classify')
        if stage == 'classify':
            return head.loss_decode(logits, tags)
        if stage == 'expand':
            return head.loss_expand(logits, tags)
        return head.loss_shrink(logits, tags) + head.loss_area(
            maps.masked_fill(~self.inside(batch), -1e4), tags)

    def sampled(self, head: ESOLHead, x: Tensor, clip: float | None,
                first: Tensor | None = None, second: Tensor | None = None) -> Tensor:
        """Class maps of ESOL's kernels at given offsets (n, 18, g, g)."""
        from mmwsss.ops import feature_clip, offset_conv2d
        for layer, offset in ((head.conv_1, first), (head.conv_2, second)):
            x = head.act(layer(x) if offset is None else
                         offset_conv2d(x, offset, layer.weight))
            if clip and layer is head.conv_1:
                x = feature_clip(x, clip)
        return head.classify(x)

    def follow(self, head: ESOLHead, way: str, sign: int, clip: float | None) -> None:
        """Add the rows of free offsets at the first convolution that go up or down
        the classification loss, and of those at the second one that go on."""
        import torch
        steps = max(ORACLE_STEPS)
        seen: dict = {}
        start = 4

        def classification(n, maps):
            return head.loss_shrink(self.pool(n, maps), self.images.tags[n])

        def both(n, maps):
            return classification(n, maps) + head.loss_area(
                maps.masked_fill(~self.inside(n), -1e4), self.images.tags[n])

        for i in range(0, len(self.numbers), 16):
            batch = self.numbers[i:i + 16]
            x = self.features[batch, 0]
            fields = self.climb(
                lambda maps, batch=batch: sign * classification(batch, maps),
                lambda o, x=x: self.sampled(head, x, clip, o), x, steps)
            with torch.no_grad():
                for step in ORACLE_STEPS:
                    seen.setdefault(('first', step), []).append(
                        self.sampled(head, x, clip, fields[step]))
            seconds = {'descent on classification and area': (both, -1)}
            if way == 'descent':
                seconds['ascent'] = classification, 1
            for name, (loss, other) in seconds.items():
                found = self.climb(
                    lambda maps, batch=batch, loss=loss, other=other: (
                        other * loss(batch, maps)),
                    lambda o, x=x, f=fields[start]: self.sampled(head, x, clip, f, o),
                    x, start)[start]
                with torch.no_grad():
                    seen.setdefault((name, start), []).append(
                        self.sampled(head, x, clip, fields[start], found))
        clipped = ', clipped' if clip else ''
        for (where, step), maps in seen.items():
            name = (f'{step} steps' if where == 'first' else
                    f'{start} steps, then {where}, {step} steps')
            self.add(f'free offsets{clipped}: {way}, {name}', torch.cat(maps))

    def climb(self, loss: Callable, answer: Callable, x: Tensor,
              steps: int) -> list[Tensor]:
        """Offsets that climb a loss, after each step: each of STEP cells in the mean
        of an image's kernel points, and no offset beyond FARTHEST."""
        import torch
        offset = 1e-3 * torch.randn(len(x), 18, *x.shape[2:])
        fields = [offset]
        for _ in range(steps):
            offset = offset.detach().requires_grad_()
            gradient, = torch.autograd.grad(loss(answer(offset)), offset)
            length = gradient.unflatten(1, (-1, 2)).norm(dim=2).mean((1, 2, 3))
            offset = (offset + STEP * gradient / (
                length[:, None, None, None] + 1e-20)).clamp(-FARTHEST, FARTHEST)
            fields.append(offset.detach())
        return fields

    def stages(self, head: ESOLHead) -> None:
        """Add the rows of the stages expand and shrink."""
        import copy
        further = copy.deepcopy(head)
        self.learn(further, self.args.stage_iters, kernels=1e-3)
        self.add('classify, further (control of kernels that learn)',
                 self.maps(further, self.numbers))
        near = self.expand(head, 'expand to 0.2 cells', 0.2)
        far = self.expand(head, 'expand to 1 cell', 1.)
        reverse = self.expand(head, 'descent to 1 cell', 1., reverse=True)
        self.shrink(near, 'expand to 0.2 cells, shrink')
        self.shrink(far, 'expand to 1 cell, shrink')
        self.shrink(reverse, 'descent to 1 cell, shrink')
        self.shrink(reverse, 'descent to 1 cell, ascent', reverse=True)
        for parts in ('offsets+classifier', 'offsets+conv_2+classifier'):
            self.shrink(near, f'expand to 0.2 cells, shrink ({parts})', 0.2, parts)
        for weight in (1., 10.):
            self.shrink(far, f'expand to 1 cell, shrink (Eq. 2 in area x {weight:g})',
                        area=dict(activation='max_norm', loss_weight=weight))

    def expand(self, head: ESOLHead, name: str, farthest: float,
               reverse: bool = False) -> ESOLHead:
        """Add the rows of the stage expand after the stage classify."""
        import copy
        head = copy.deepcopy(head)
        if reverse:
            head.loss_expand.loss_weight *= -1
        self.stage(head, 'expand', name, farthest=farthest)
        return head

    def shrink(self, head: ESOLHead, name: str, farthest: float = 1.,
               parts: str = 'offsets', area: dict | None = None,
               reverse: bool = False) -> None:
        """Add the rows of the stage shrink after a head's stage expand."""
        import copy

        from mmwsss.models.losses import AreaLoss
        head = copy.deepcopy(head)
        head.shrink_trains = parts
        head.loss_area = AreaLoss(**(area or {}))
        if reverse:
            head.loss_shrink.loss_weight *= -1
            head.loss_area.loss_weight = 0.
        self.stage(head, 'shrink', name, kernels=1e-3, farthest=farthest)

    def stage(self, head: ESOLHead, stage: str, name: str, **options) -> None:
        """Train a head in a stage, and add its rows; ``options`` of :meth:`learn`."""
        head.switch_stage(stage)
        self.learn(head, self.args.stage_iters, **options)
        self.add(name, self.maps(head, self.numbers), head)
        clip_ratio, head.clip_ratio = head.clip_ratio, None
        self.add(f'{name}, clipped in training only', self.maps(head, self.numbers))
        head.clip_ratio = clip_ratio

    def add(self, name: str, maps: Tensor, head: nn.Module | None = None) -> None:
        """Score a row, and tell of a head's offsets and clipping."""
        choosing = len(self.images.choose)
        choose = self.seed_scores(maps[:choosing], self.images.choose)
        every = self.seed_scores(maps[choosing:], self.scored)
        row = dict(at_best_threshold(every, choose),
                   recalls=[one['recall'] for one in every])
        base = self.rows.get('classify', row)
        there = every[THRESHOLDS.index(base['threshold'])]
        row.update(
            precision_there=there['precision'], recall_there=there['recall'],
            lower=sum(mine < other for mine, other in zip(
                row['recalls'], base['recalls'], strict=True)) / len(every))
        if head is not None and hasattr(head, 'conv_1'):
            row.update(above=self.above(head))
            if head.stage != 'classify':
                row.update(offset=offset_length(head))
        self.rows[name] = row

    def above(self, head: ESOLHead) -> float:
        """The share of values behind the first convolution that clipping cuts."""
        import torch
        with torch.no_grad():
            features = head.act(head.conv_1(self.features[self.scored[:32], 0]))
        peaks = features.amax((2, 3), keepdim=True)
        inside = self.inside(self.scored[:32]).expand_as(features)
        return float(((features >= BETA * peaks) & (peaks > 0))[inside].float().mean())


def offset_length(head: nn.Module) -> float:
    """The mean length of the offsets that a head's stage learns, in cells."""
    stage = getattr(head, 'stage', 'classify')
    if stage == 'classify':
        return 0.
    layer = head.conv_1 if stage == 'expand' else head.conv_2
    return float(layer.last_offset.unflatten(1, (-1, 2)).norm(dim=2).mean())


if __name__ == '__main__':
    run_tool(parse_args, main)
