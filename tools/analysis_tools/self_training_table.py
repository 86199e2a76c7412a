# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""What each part of self-training with image tags adds, on features that are cached.

The recipes of configs/self_training, in small: the backbone is frozen, its features
of each photo and its mirror image are stored once, and only heads learn, so that
three runs take half an hour of one core rather than a day.

    python tools/analysis_tools/self_training_table.py data/voc_animals \\
        --choose ImageSets/Segmentation/train_choose.txt --out work_dirs/table

The folder holds classes.txt, image_labels.json, JPEGImages, SegmentationClass and
ImageSets/Segmentation/{train,val}.txt. Thresholds are chosen on the photos of
--choose, which no network sees; val is scored once. Masks are read to score, to
choose, and to train the upper bound. A run that is there already is not made again.
"""

from __future__ import annotations

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

from typing import TYPE_CHECKING

from frozen_features import (
    STRIDE,
    FrozenRun,
    at_best_threshold,
    make_parser,
    make_runs,
    print_rows,
    summary,
)

from mmwsss.utils.entry_point import run_tool

if TYPE_CHECKING:
    import argparse

    from torch import Tensor, nn

LABEL_STRIDE = 2
GATES = (0., 0.05, 0.1, 0.2, 0.3, 0.5)


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    parser.add_argument('--rounds', type=int, default=1, help='of self-training '
                        '(default: 1)')
    parser.add_argument('--extras', action='store_true', help='also show only classes '
                        'that the classifier sees, and leave uncertain pixels out')
    parser.add_argument('--iters', type=int, nargs='+', default=[250, 750],
                        help='schedules of the last model and of the upper bound; the '
                        'first one is that of each round (default: 250 750)')
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    """Make the runs that are not there, and print the table."""
    # Of some runs there may be more schedules than of others; choose is the mIoU on
    # the images that choose.
    print_rows(make_runs(args, Run), 56, dict(
        choose=('choose', 6, 1), mIoU=('mIoU', 5, 1), precision=('P', 5, 1),
        recall=('R', 5, 1)))


class Run(FrozenRun):
    """One run of all rows."""

    def scores(self) -> dict[str, dict]:
        """The scores of each row."""
        images, rows = self.images, {}
        classifier = self.train_classifier()
        seeds = {n: self.class_maps(classifier, n) for n in images.train}
        name = 'class maps'
        first, *more = self.args.iters
        truth = {n: self.grid(n, images.mask(n)) for n in images.fit}
        for step in range(self.args.rounds + 1):
            threshold, rows[f'train: {name}'] = self.choose_threshold(seeds)
            labels = {n: self.refine(n, seeds[n], threshold) for n in images.train}
            rows[f'train: {name} + CRF'] = self.score_labels(labels)
            model = self.train_segmentor(labels, first)
            rows[f'val: DeepLab on {name} + CRF'] = self.score_model(model)
            name = f'round {step + 1}'
            if step < self.args.rounds:
                seeds = {n: self.shares(model, n) for n in images.train}
        full = self.train_segmentor(truth, first)
        rows['val: DeepLab on all masks'] = self.score_model(full)
        if self.args.extras:
            presence = {n: self.presence(classifier, n)
                        for n in (*images.choose, *images.val)}
            rows['val: the same, classes by the tag classifier'] = self.score_model(
                model, presence)
            rows['val: all masks, classes by the tag classifier'] = self.score_model(
                full, presence)
            rows['val: the same, without what the CRF changed'] = self.score_model(
                self.train_segmentor(
                    {n: self.agreed(n, labels[n], seeds[n], threshold)
                     for n in images.fit}, first))
        for iters in more:
            rows[f'val: DeepLab on the last labels, {iters} iterations'] = (
                self.score_model(self.train_segmentor(labels, iters)))
            rows[f'val: DeepLab on all masks, {iters} iterations'] = (
                self.score_model(self.train_segmentor(truth, iters)))
        return rows

    def train_classifier(self) -> nn.Module:
        """ESOL's head in its stage classify."""
        import torch
        from torch import nn
        from torch.nn import functional as F
        torch.manual_seed(self.seed)
        channels = self.features.shape[2]
        network = nn.Sequential(
            nn.Conv2d(channels, 64, 3, padding=1, bias=False), nn.ReLU(),
            nn.Conv2d(64, 64, 3, padding=1, bias=False), nn.ReLU(),
            nn.Conv2d(64, self.num_classes - 1, 1, bias=False))
        for layer in (network[0], network[2]):
            nn.init.kaiming_normal_(layer.weight, mode='fan_out')
        self.train_head(
            network, self.args.classifier_iters, 1e-3,
            lambda features, batch, _: F.multilabel_soft_margin_loss(
                self.pool(batch, network(features)), self.images.tags[batch]))
        return network.eval()

    def both_views(self, network: nn.Module, n: int) -> Tensor:
        """What a head answers (2, K, g, g) of an image and its mirror image, the
        latter turned back."""
        import torch
        with torch.no_grad():
            plain, mirrored = network(self.features[n])
        return torch.stack([plain, self.images.mirrored(n, mirrored, STRIDE)])

    def class_maps(self, classifier: nn.Module, n: int) -> Tensor:
        """The seed of an image on the square, as IRN makes it from two views."""
        from mmwsss.ops import max_norm
        maps = self.both_views(classifier, n).relu().sum(0)
        return max_norm(maps) * self.images.tags[n][:, None, None]

    def presence(self, classifier: nn.Module, n: int) -> Tensor:
        """The probability of each class in an image, (K,)."""
        maps = self.both_views(classifier, n).mean(0)
        return self.pool([n], maps[None])[0].sigmoid()

    def train_segmentor(self, labels: dict[int, Tensor], iters: int) -> nn.Module:
        """A narrow DeepLab head on labels (h, w) of the grid of stride 2."""
        import torch
        from torch.nn import functional as F
        torch.manual_seed(self.seed)
        step = 8 // LABEL_STRIDE
        network = make_head(self.features.shape[2], self.num_classes)

        def loss(features, batch, mirrored):
            target = torch.stack([
                self.images.mirrored(n, labels[n], LABEL_STRIDE) if flip else labels[n]
                for n, flip in zip(batch, mirrored, strict=True)])
            target = target[:, step // 2::step, step // 2::step].long()
            logits = F.interpolate(
                network(features), target.shape[1:], mode='bilinear',
                align_corners=False)
            return F.cross_entropy(logits, target, ignore_index=255)

        self.train_head(network, iters, 3e-3, loss)
        return network.eval()

    def shares(self, model: nn.Module, n: int) -> Tensor:
        """Seeds of a segmentation model, those of SegmentorTTAModel that leaves absent
        classes out."""
        probabilities = self.both_views(model, n).softmax(1).mean(0)
        background, classes = probabilities[:1], probabilities[1:]
        return classes / (classes + background) * self.images.tags[n][:, None, None]

    def choose_threshold(self, seeds: dict[int, Tensor]) -> tuple[float, dict]:
        """The best threshold on the images that choose, and its scores."""
        scores = self.threshold_scores(seeds.__getitem__, self.images.choose)
        best = at_best_threshold(scores, scores)
        return best['threshold'], dict(best, choose=best['mIoU'])

    def refine(self, n: int, seed: Tensor, threshold: float) -> Tensor:
        """The pseudo label of an image on the grid of stride 2: IRN's label CRF at
        half the size of the image."""
        import torch
        from torch.nn import functional as F

        from mmwsss.ops import dense_crf
        rows, columns = self.images.covered(n, LABEL_STRIDE)
        side = self.images.size // LABEL_STRIDE
        present = self.images.tags[n].nonzero().flatten()
        scores = F.interpolate(
            seed[None, present], (side, side), mode='bilinear',
            align_corners=False)[0, :, :rows, :columns]
        scores = torch.cat([torch.full_like(scores[:1], threshold), scores])
        image = F.interpolate(
            self.images.image(n)[None].float(), (rows, columns), mode='bilinear',
            antialias=True).clamp(0, 255)
        refined = dense_crf(
            scores[None].clamp(0, 1), image, gaussian=(3 / LABEL_STRIDE, 3),
            bilateral=(50 / LABEL_STRIDE, 5, 10), unary='labels')[0].argmax(0)
        return self.grid(n, torch.cat([present.new_zeros(1), present + 1])[refined], 1)

    def agreed(self, n: int, label: Tensor, seed: Tensor, threshold: float) -> Tensor:
        """A label with 255 where the thresholded seed says something else."""
        from torch.nn import functional as F
        scores = F.interpolate(
            seed[None], label.shape, mode='bilinear', align_corners=False)[0]
        best, classes = scores.max(0)
        same = (classes + 1).where(best > threshold, 0) == label
        return label.where(same, label.new_tensor(255))

    def grid(self, n: int, label: Tensor, stride: int = LABEL_STRIDE) -> Tensor:
        """A label (H, W) on the grid of the square, 255 outside of the image."""
        import torch
        side = self.images.size // LABEL_STRIDE
        grid = torch.full((side, side), 255, dtype=torch.uint8)
        small = label[::stride, ::stride]
        grid[:small.shape[0], :small.shape[1]] = small
        return grid

    def score_labels(self, labels: dict[int, Tensor]) -> dict:
        """The scores of pseudo labels on the images that choose."""
        from mmwsss.ops.seed_confusion import mask_confusion
        total = 0
        for n in self.images.choose:
            mask = self.images.mask(n)
            full = labels[n].repeat_interleave(LABEL_STRIDE, 0).repeat_interleave(
                LABEL_STRIDE, 1)[:mask.shape[0], :mask.shape[1]]
            total = total + mask_confusion(full, mask, self.num_classes)
        scores = summary(total)
        return dict(scores, choose=scores['mIoU'])

    def score_model(self, model: nn.Module, presence: dict | None = None) -> dict:
        """The scores of a model on val, of one view. With ``presence`` it shows the
        classes whose probability exceeds what is best on the images that choose."""
        choose = {
            gate: self.confusion_scores(
                model, self.images.choose, presence, gate)['mIoU']
            for gate in (GATES if presence else GATES[:1])}
        best = max(choose, key=choose.__getitem__)
        return dict(self.confusion_scores(model, self.images.val, presence, best),
                    choose=choose[best], gate=best)

    def confusion_scores(self, model: nn.Module, numbers, presence=None,
                         gate: float = 0.) -> dict:
        """The scores of a model on images, of one view, without tags."""
        import torch

        from mmwsss.ops.seed_confusion import mask_confusion
        total = 0
        for n in numbers:
            with torch.no_grad():
                maps = model(self.features[n, :1])[0].softmax(0)
            if presence is not None:
                maps[1:] *= (presence[n] > gate)[:, None, None]
            total = total + mask_confusion(
                self.images.at_image(n, maps).argmax(0), self.images.mask(n),
                self.num_classes)
        return summary(total)


def make_head(channels: int, num_classes: int) -> nn.Module:
    """A head of three hidden branches, dilated once and thrice and not at all."""
    import torch
    from torch import nn

    class Head(nn.Module):

        def __init__(self) -> None:
            super().__init__()
            self.reduce = nn.Conv2d(channels, 64, 1)
            self.branches = nn.ModuleList(
                nn.Conv2d(64, 32, 3, padding=rate, dilation=rate) for rate in (1, 3))
            self.classify = nn.Conv2d(128, num_classes, 1)

        def forward(self, features: Tensor) -> Tensor:
            hidden = self.reduce(features).relu()
            return self.classify(torch.cat(
                [hidden, *(branch(hidden).relu() for branch in self.branches)], 1))

    return Head()


if __name__ == '__main__':
    run_tool(parse_args, main)
