# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Whether the stochastic gate of NGWPHead helps while the last blocks learn.

Crops of each photo pass the frozen blocks once; what they answer is stored, and the
last blocks learn with the head: first a classifier (CAM), then the head in its
stages pretrain and self_train, with one gate or another, at constant rates, so that
a run of three times the length is the shorter one, continued.

    python tools/analysis_tools/gate_table.py data/voc_animals \\
        --choose ImageSets/Segmentation/train_choose.txt --out work_dirs/gate_table

The folder holds classes.txt, image_labels.json, JPEGImages, SegmentationClass and
ImageSets/Segmentation/{train,val}.txt. Masks only score, and those of --choose
choose the power of the background. A row that is there already is not made again.
"""

from __future__ import annotations

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import os.path as osp
import warnings
from typing import TYPE_CHECKING

from frozen_features import (
    STRIDE,
    Descent,
    FrozenRun,
    Images,
    features_path,
    load_network,
    make_parser,
    print_rows,
    stored,
    summary,
)

from mmwsss.utils import read_json, write_json
from mmwsss.utils.entry_point import run_tool

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from torch import Tensor, nn

    from mmwsss.models.heads import NGWPHead

GATES: dict[str, dict | None] = {
    '0.5': dict(rate=0.5),
    'none': None,
    '0.3': dict(rate=0.3),
    'deterministic': dict(rate=0.5, deterministic=True),
}
TITLES = {'0.5': 'gate, rate 0.5', '0.3': 'gate, rate 0.3', 'none': 'no gate',
          'deterministic': 'deterministic gate, rate 0.5'}
TIMES = (1, 3)
SHALLOW_STRIDE = 8
PUBLISHED_THR = 0.1
POWERS = (1., 2., 3., 4.)
THRS = (PUBLISHED_THR, 0.3, 0.5)
MORE_POWERS = (0.25, 0.5, *POWERS)
RATE = 2e-4
# choose: mIoU on the images that choose. any: mIoU at the threshold of classes and the
# power of the background that are best there, of wider choices. seen, unseen: mIoU with
# the tags, on images that were learnt from and on those that choose. kept: share of
# images that the pixel loss keeps; decided: of their pixels, in the last iterations.
COLUMNS = dict(
    mIoU=('mIoU', 5, 1), choose=('choose', 6, 1), precision=('P', 5, 1),
    recall=('R', 5, 1), any=('any', 5, 1), seen=('seen', 5, 1),
    unseen=('unseen', 6, 1), kept=('kept', 5, 2), decided=('decided', 7, 2))


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__, whole=False)
    parser.add_argument('--images', '--photos', type=int, default=200,
                        help='photos of train that are learnt from (default: 200)')
    parser.add_argument('--views', type=int, default=4, help='crops of each '
                        '(default: 4)')
    parser.add_argument('--crop', type=int, default=128, help='their side (default: '
                        '128)')
    parser.add_argument('--test-size', type=int, default=176, help='long side of '
                        'photos that are scored (default: 176)')
    parser.add_argument('--learnt', type=int, default=2, help='blocks that learn '
                        '(default: 2)')
    parser.add_argument('--channels', type=int, default=32, help='of the decoder '
                        '(default: 32)')
    parser.add_argument('--pretrain-iters', type=int, default=80)
    parser.add_argument('--self-iters', type=int, default=100, help='iterations of the '
                        'shorter stage self_train (default: 100)')
    parser.add_argument('--gates', nargs='+', choices=GATES, default=[*GATES])
    parser.add_argument('--long', nargs='*', choices=GATES, default=['0.5', 'none'],
                        help='gates that also train three times as long')
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    """Make the rows that are not there, and print the table."""
    import torch
    torch.set_num_threads(1)
    # Of mmseg, for sizes that align_corners would not have chosen.
    warnings.filterwarnings('ignore', message='When align_corners=True')
    images = Images(args.data, args.choose, args.size)
    images.fit = images.fit[:args.images]
    views = load_views(images, args)
    runs = [Run(images, views, seed, args).scores() for seed in args.seeds]
    print_rows(runs, 36, COLUMNS, dict.fromkeys(row for run in runs for row in run))


def load_views(images: Images, args: argparse.Namespace) -> dict:
    """What the frozen blocks answer, stored in half precision.

    Returns:
        dict: ``shallow``, ``deep`` and ``images`` of the crops, each of shape
        (images, views, channels, h, w), the latter uint8 RGB at the size of
        ``shallow``; ``whole``, for each number of an image that is scored, its shallow
        and deep features; ``last``, the blocks that learn; ``options``.

    Raises:
        ValueError: If those that are there were made with other options.
    """
    options = dict(photos=args.images, **{key: getattr(args, key) for key in (
        'views', 'crop', 'test_size', 'learnt', 'model', 'model_options')})
    shallow_part, deep_part, last, mean, std = split_network(args)
    path = features_path(args)
    views = stored(path, lambda: dict(
        make_views(images, args, shallow_part, deep_part, mean, std), options=options))
    if views['options'] != options:
        raise ValueError(f'{path} was made with other options: {views["options"]}')
    return dict(views, last=last)


def split_network(args: argparse.Namespace) -> tuple:
    """The blocks up to the shallow feature, those up to the ones that learn, the
    latter, and the mean and deviation of images.

    Raises:
        ValueError: If the network has no sequence of blocks, or too few.
    """
    from torch import nn
    network, mean, std = load_network(args)
    strides = network.feature_info.reduction()
    if not hasattr(network, 'conv_stem') or SHALLOW_STRIDE not in strides:
        raise ValueError(f'{args.model} is no sequence of blocks like a MobileNet')
    blocks = [block for stage in network.blocks for block in stage]
    near = sum(len(stage) for stage in
               network.blocks[:strides.index(SHALLOW_STRIDE) + 1])
    if not 0 < args.learnt < len(blocks) - near:
        raise ValueError(f'--learnt must be below {len(blocks) - near}, got '
                         f'{args.learnt}')
    return (nn.Sequential(network.conv_stem, network.bn1, *blocks[:near]),
            nn.Sequential(*blocks[near:-args.learnt]),
            nn.Sequential(*blocks[-args.learnt:]), mean, std)


def make_views(images: Images, args: argparse.Namespace, shallow_part: nn.Module,
               deep_part: nn.Module, mean: Tensor, std: Tensor) -> dict:
    """Crops of the images that are learnt from, and whole ones that are scored."""
    import torch
    from rich.progress import track
    from torch.nn import functional as F
    from torchvision.transforms import v2
    torch.manual_seed(0)
    augment = v2.Compose([
        v2.RandomResizedCrop(args.crop, scale=(0.7, 1.), antialias=True),
        v2.RandomHorizontalFlip(),
        v2.ColorJitter(0.3, 0.3, 0.3, 0.1)])

    def answer(images: Tensor) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            shallow = shallow_part((images / 255 - mean) / std)
            return shallow.half(), deep_part(shallow).half()

    shallow, deep, small = [], [], []
    for n in track(images.fit, 'crops'):
        image = images.image(n)
        crops = torch.stack([augment(image) for _ in range(args.views)])
        for kept, one in zip((shallow, deep), answer(crops.float()), strict=True):
            kept.append(one)
        small.append(F.interpolate(
            crops.float(), shallow[-1].shape[2:], mode='bilinear',
            antialias=True).round().clamp(0, 255).byte())
    whole = {}
    for n in track(scored_images(images), 'photos'):
        height, width = (
            max(1, round(side * args.test_size / images.size / STRIDE)) * STRIDE
            for side in images.sizes[n])
        whole[n] = answer(F.interpolate(
            images.image(n)[None].float(), (height, width), mode='bilinear',
            antialias=True))
    return dict(shallow=torch.stack(shallow), deep=torch.stack(deep),
                images=torch.stack(small), whole=whole)


def scored_images(images: Images) -> list[int]:
    """Photos of val, those that choose, and as many that are learnt from."""
    return [*images.val, *images.choose, *seen_images(images)]


def seen_images(images: Images) -> list[int]:
    """Half as many images that are learnt from as choose."""
    return images.fit[:-(-len(images.choose) // 2)]


class Run(FrozenRun):
    """One run of all rows, of one seed of the random numbers.

    Args:
        images (Images): The images.
        views (dict): What :func:`load_views` answered.
        seed (int): The seed.
        args (Namespace): The command line.
    """

    def __init__(self, images: Images, views: dict, seed: int,
                 args: argparse.Namespace) -> None:
        super().__init__(images, views['deep'], seed, args)
        self.views = views
        self.index = {n: i for i, n in enumerate(images.fit)}
        self.path = osp.join(args.out, f'scores_{seed}.json')
        self.rows = read_json(self.path) if osp.exists(self.path) else {}

    def scores(self) -> dict[str, dict]:
        """The scores of each row."""
        for name in self.args.gates:
            times = TIMES if name in self.args.long else TIMES[:1]
            rows = [f'{TITLES[name]}, {time} x' for time in times]
            if all(row in self.rows for row in rows):
                continue
            blocks, head = self.pretrained('none' if name == 'none' else '0.5')
            self.set_gate(head, GATES[name])
            head.switch_stage('self_train')
            self.learn(blocks, head, [
                (time * self.args.self_iters, row)
                for time, row in zip(times, rows, strict=True)])
        return self.rows

    def pretrained(self, gate: str) -> tuple[nn.Module, NGWPHead]:
        """Blocks and head after their stage pretrain; of one run they are stored."""
        blocks, head = self.classified(), self.make_head(GATES[gate])

        def pretrain() -> dict:
            row = f'after pretrain, {TITLES[gate]}'
            self.learn(blocks, head, [(self.args.pretrain_iters, row)])
            return dict(blocks=blocks.state_dict(), head=head.state_dict())

        states = stored(
            osp.join(self.args.out, f'pretrained_{gate}_{self.seed}.pth'), pretrain)
        blocks.load_state_dict(states['blocks'])
        head.load_state_dict(states['head'])
        return blocks, head

    def classified(self) -> nn.Module:
        """The last blocks after CAM's training, which all rows begin with."""
        import copy

        from torch import nn
        blocks = copy.deepcopy(self.views['last']).eval()
        for module in blocks.modules():
            # The statistics and what belongs to them stay, as the paper's do.
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.requires_grad_(False)
        blocks.load_state_dict(stored(
            osp.join(self.args.out, f'classified_{self.seed}.pth'),
            lambda: self.classify(blocks)))
        return blocks

    def classify(self, blocks: nn.Module) -> dict[str, Tensor]:
        """The weights of the last blocks after CAM's training."""
        import torch
        from torch.nn import functional as F
        torch.manual_seed(self.seed)
        classifier = torch.nn.Conv2d(self.deep_channels(), self.num_classes - 1, 1)
        descent = self.descent(blocks, classifier, self.args.classifier_iters)
        for batch, views in self.some(self.args.classifier_iters):
            _, deep, _ = self.crops(batch, views)
            descent.step(F.multilabel_soft_margin_loss(
                classifier(blocks(deep)).mean((2, 3)), self.images.tags[batch]))
        return blocks.state_dict()

    def deep_channels(self) -> int:
        """Channels behind the last blocks."""
        import torch
        with torch.no_grad():
            return self.views['last'].eval()(self.features[0, :1].float()).shape[1]

    def make_head(self, gate: dict | None) -> NGWPHead:
        """The head of single-stage segmentation."""
        import torch

        from mmwsss.models.heads import NGWPHead
        torch.manual_seed(self.seed)
        head = NGWPHead(
            (self.views['shallow'].shape[2], self.deep_channels()), self.num_classes,
            in_index=(0, 1), channels=self.args.channels, skip_channels=24,
            dilations=(1, 2), gate=dict(rate=0.5), bg_power=1.)
        for module in head.modules():
            # What init_weights does, which tells of every tensor.
            if isinstance(module, torch.nn.Conv2d):
                torch.nn.init.kaiming_normal_(module.weight)
        self.set_gate(head, gate)
        return head

    @staticmethod
    def set_gate(head: NGWPHead, gate: dict | None) -> None:
        """Put another gate into a head, or none; no weight belongs to it."""
        from mmwsss.models.layers import StochasticGate
        head.gate = None if gate is None else StochasticGate(**gate)
        for parameter in head.enrich.parameters():
            parameter.requires_grad_(gate is not None)

    @staticmethod
    def descent(blocks: nn.Module, head: nn.Module, iters: int) -> Descent:
        """Constant rates, that of the head ten times that of the blocks."""
        return Descent([
            dict(params=[one for one in part.parameters() if one.requires_grad],
                 lr=rate)
            for part, rate in ((blocks, RATE), (head, 10 * RATE))], iters, power=0)

    def some(self, iters: int) -> list[tuple[list, list]]:
        """Batches of 8 crops that do not depend on what a network draws."""
        import torch
        torch.manual_seed(self.seed)
        return list(self.batches(iters, 8, views=self.args.views))

    def crops(self, batch: list[int], views: list[int]) -> tuple[Tensor, ...]:
        """Shallow and deep features and images of crops."""
        rows = [self.index[n] for n in batch]
        shallow, deep, images = (self.views[key][rows, views].float()
                                 for key in ('shallow', 'deep', 'images'))
        return shallow, deep, images

    def learn(self, blocks: nn.Module, head: NGWPHead,
              ends: list[tuple[int, str]]) -> None:
        """Train the blocks and the head in its stage at constant rates, and score
        a row, by name, at each of the iterations."""
        from mmseg.structures import SegDataSample
        iters = ends[-1][0]
        descent = self.descent(blocks, head, iters)
        names, shares = dict(ends), {'kept': [], 'decided': []}
        for step, (batch, views) in enumerate(self.some(iters), start=1):
            head.train()
            shallow, deep, images = self.crops(batch, views)
            samples = [SegDataSample(metainfo=self.meta(n, tags=True)) for n in batch]
            losses = head.loss_by_feat(head((shallow, blocks(deep)), images), samples)
            descent.step(sum(one for key, one in losses.items() if 'loss' in key))
            for key, values in shares.items():
                values.append(float(losses.get(key, 0.)))
            if step in names:
                self.rows[names[step]] = dict(
                    self.score(blocks, head.eval()),
                    **{key: sum(values[-50:]) / len(values[-50:])
                       for key, values in shares.items()})
                write_json(self.path, self.rows)

    def meta(self, n: int, tags: bool) -> dict:
        """Meta information of an image at half its size, with its image labels or
        without."""
        labels = [1, *self.images.tags[n].int().tolist()]
        return dict(img_shape=tuple(-(-side // 2) for side in self.images.sizes[n]),
                    **(dict(tags=labels) if tags else {}))

    def score(self, blocks: nn.Module, head: NGWPHead) -> dict:
        """The scores of a network, with the power of the background that is best on
        the images that choose."""
        images = self.images
        choose = self.confusions(blocks, head, images.choose, [
            (thr, power) for thr in (None, *THRS) for power in MORE_POWERS])

        def best(thrs: Iterable[float], powers: Iterable[float]) -> tuple:
            return max(((thr, power) for thr in thrs for power in powers),
                       key=lambda setting: choose[setting]['mIoU'])

        here, anywhere = best((PUBLISHED_THR, ), POWERS), best(THRS, MORE_POWERS)
        tags = None, here[1]
        val = self.confusions(blocks, head, images.val, {here, anywhere})
        seen = self.confusions(blocks, head, seen_images(images), (tags, ))
        return dict(
            val[here], choose=choose[here]['mIoU'], power=here[1],
            seen=seen[tags]['mIoU'], unseen=choose[tags]['mIoU'],
            any=val[anywhere]['mIoU'], any_setting=anywhere)

    def confusions(self, blocks: nn.Module, head: NGWPHead, numbers: Iterable[int],
                   settings: Iterable[tuple[float | None, float]]) -> dict:
        """The scores on images, of one view and of every second pixel.

        Args:
            blocks (nn.Module): The last blocks.
            head (NGWPHead): The head.
            numbers (Iterable[int]): The images.
            settings (Iterable[tuple]): The probability above which classes are
                shown, None for those that the tags name, and the power of the
                background.

        Returns:
            dict: The scores by setting.
        """
        import torch

        from mmwsss.ops.seed_confusion import mask_confusion
        totals: dict = dict.fromkeys(settings, 0)
        for n in numbers:
            truth = self.images.mask(n)[::2, ::2]
            with torch.no_grad():
                shallow, deep = (one.float() for one in self.views['whole'][n])
                answer = head((shallow, blocks(deep)))
                for thr in {thr for thr, _ in totals}:
                    head.score_thr = thr
                    masks = head.predict_by_feat(answer, [self.meta(n, thr is None)])[0]
                    highest, classes = masks[1:].max(0)
                    for setting in totals:
                        if setting[0] != thr:
                            continue
                        shown = (classes + 1) * (highest > masks[0]**setting[1])
                        totals[setting] = totals[setting] + mask_confusion(
                            shown, truth, self.num_classes)
        return {setting: summary(total) for setting, total in totals.items()}


if __name__ == '__main__':
    run_tool(parse_args, main)
