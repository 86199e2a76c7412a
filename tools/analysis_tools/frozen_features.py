# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""What the tables of this folder share: images, features that are stored once, and
heads that learn on them. Three runs of a table take minutes of one core, not a day."""

from __future__ import annotations

import json
import os.path as osp
from typing import TYPE_CHECKING, Any

from mmwsss.utils import atomic_write, read_json, read_lines, write_json
from mmwsss.utils.arguments import ToolParser

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Sequence

    from torch import Tensor, nn

STRIDE = 16
THRESHOLDS = [i / 100 for i in range(1, 80)]


def make_parser(doc: str | None, whole: bool = True) -> ToolParser:
    """A parser of the options that all tables have, and of those of
    :func:`load_features` if the ``whole`` backbone is frozen."""
    parser = ToolParser(doc)
    parser.add_argument('data', help='folder of photos, tags and masks')
    parser.add_argument('--choose', required=True, help='list of photos of train '
                        'whose masks choose; a path below the folder')
    parser.add_argument('--out', required=True, help='folder for features and scores')
    parser.add_argument('--features', help='file of the features, to share it between '
                        'tables (default: features.pt in the folder)')
    parser.add_argument('--model', default='mobilenetv1_100', help='a network of timm')
    parser.add_argument('--weights', help="timm's weights, instead of a download")
    parser.add_argument('--model-options', type=json.loads, default={}, metavar='JSON',
                        help="arguments of timm's model, such as '{\"bn_eps\": 0.001}'")
    parser.add_argument('--size', type=int, default=320, help='side of the square that '
                        'each photo is laid in, no larger one is there (default: 320)')
    parser.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2])
    parser.add_argument('--classifier-iters', type=int, default=400)
    if whole:
        parser.add_argument('--components', type=int, default=256, help='principal '
                            'components of the features that are kept (default: 256)')
    return parser


def make_runs(args: argparse.Namespace, run_type: type[FrozenRun],
              name: str = 'scores', enlarge: int = 1) -> list[dict]:
    """The scores of all runs; one that is there already is not made again.

    Args:
        args (Namespace): The command line.
        run_type (type): The class of a run, whose ``scores()`` makes its rows.
        name (str): Of the files that keep the scores. Defaults to 'scores'.
        enlarge (int): See :class:`Images`. Defaults to 1.

    Returns:
        list[dict]: Its answer for each of ``args.seeds``.
    """
    import torch
    torch.set_num_threads(1)
    check_folder(args)
    images = Images(args.data, args.choose, args.size, enlarge)
    features = load_features(images, args)
    runs = []
    for seed in args.seeds:
        path = osp.join(args.out, f'{name}_{seed}.json')
        if not osp.exists(path):
            write_json(path, run_type(images, features, seed, args).scores())
        runs.append(read_json(path))
    return runs


def check_folder(args: argparse.Namespace) -> None:
    """Note the options in the folder of the runs.

    Raises:
        ValueError: If runs there have other options.
    """
    # Paths, and what adds runs or rows and changes none.
    free = {'data', 'out', 'features', 'weights', 'seeds', 'plot', 'rows', 'sweeps',
            'operations'}
    options = {key: value for key, value in vars(args).items() if key not in free}
    # As JSON has them.
    options = json.loads(json.dumps(options))
    path = osp.join(args.out, 'options.json')
    if not osp.exists(path):
        write_json(path, options)
    before = read_json(path)
    if 'photos' in before:
        before['images'] = before.pop('photos')
    for key in sorted({*options, *before}):
        if options.get(key) != before.get(key):
            raise ValueError(f'the runs in {args.out} were made with {key} '
                             f'{before.get(key)!r}, not {options.get(key)!r}: give '
                             'another --out')


def stored(path: str, make: Callable[[], Any]) -> Any:
    """The tensors in a file, which ``make`` makes where there is none."""
    import torch
    if not osp.exists(path):
        made = make()
        with atomic_write(path) as file:
            torch.save(made, file)
    return torch.load(path, weights_only=True)


class Images:
    """Photos, tags and masks of a folder, by number: train first, then val.

    Args:
        root (str): The folder.
        choose (str): List of images of train below it.
        size (int): Side of the square that each image is laid in, in pixels.
        enlarge (int): How many times as large the network sees all that. Sizes here
            are those of the files. Defaults to 1.

    Raises:
        ValueError: If an image is larger, or one of ``choose`` is not of train.
    """

    def __init__(self, root: str, choose: str, size: int, enlarge: int = 1) -> None:
        import torch
        from PIL import Image
        self.root, self.size, self.enlarge = root, size, enlarge
        lists = osp.join(root, 'ImageSets', 'Segmentation')
        train = read_lines(osp.join(lists, 'train.txt'))
        self.ids = train + read_lines(osp.join(lists, 'val.txt'))
        chosen = {*read_lines(osp.join(root, choose))}
        if not chosen <= {*train}:
            raise ValueError(f'{choose} names photos that train.txt lacks')
        self.train = range(len(train))
        self.fit = [n for n in self.train if train[n] not in chosen]
        self.choose = [n for n in self.train if train[n] in chosen]
        self.val = range(len(train), len(self.ids))
        self.classes = [name for name in read_lines(osp.join(root, 'classes.txt'))
                        if name != 'background']
        table = read_json(osp.join(root, 'image_labels.json'))
        self.tags = torch.tensor([[float(name in table.get(one, ()))
                                   for name in self.classes] for one in self.ids])
        self.sizes = []
        for name in self.ids:
            with Image.open(self.path(name)) as image:
                self.sizes.append((image.height, image.width))
            if max(self.sizes[-1]) > size:
                raise ValueError(f'{name} is larger than --size {size}')

    def path(self, name: str) -> str:
        return osp.join(self.root, 'JPEGImages', f'{name}.jpg')

    def image(self, n: int) -> Tensor:
        """RGB (3, H, W) of an image, uint8."""
        import numpy as np
        import torch
        from PIL import Image
        with Image.open(self.path(self.ids[n])) as image:
            return torch.from_numpy(np.array(image.convert('RGB'))).permute(2, 0, 1)

    def mask(self, n: int) -> Tensor:
        """Class ids (H, W) of an image, uint8."""
        import numpy as np
        import torch
        from PIL import Image
        path = osp.join(self.root, 'SegmentationClass', f'{self.ids[n]}.png')
        with Image.open(path) as image:
            return torch.from_numpy(np.array(image))

    def covered(self, n: int, stride: int) -> tuple[int, int]:
        """Rows and columns of a grid of a stride that an image reaches into."""
        height, width = (self.enlarge * side for side in self.sizes[n])
        return -(-height // stride), -(-width // stride)

    def at_image(self, n: int, maps: Tensor) -> Tensor:
        """Maps (K, g, g) of the square at the size of an image: (K, H, W)."""
        from torch.nn import functional as F
        height, width = self.sizes[n]
        return F.interpolate(
            maps[None], (self.size, self.size), mode='bilinear',
            align_corners=False)[0, :, :height, :width]

    def mirrored(self, n: int, maps: Tensor, stride: int) -> Tensor:
        """Maps (..., g, g) of the mirror image turned back, and the reverse."""
        columns = self.covered(n, stride)[1]
        turned = maps.clone()
        turned[..., :columns] = maps[..., :columns].flip(-1)
        return turned


    def threshold_scores(self, seeds: Callable[[int], tuple[Tensor, Tensor]],
                         numbers: Iterable[int]) -> list[dict]:
        """The scores of seeds at each of THRESHOLDS; ``seeds(n)`` are scores
        (K, H, W) of an image and the class ids (K,) that they are of."""
        from mmwsss.ops.seed_confusion import integrate_histogram, seed_histogram
        histograms = sum(
            seed_histogram(*seeds(n), self.mask(n), THRESHOLDS, len(self.classes) + 1)
            for n in numbers)
        return [summary(one) for one in integrate_histogram(histograms)]


def load_features(images: Images, args: argparse.Namespace) -> Tensor:
    """Principal components (N, 2, K, g, g) of the features of each image and its
    mirror image, whitened half-way; 0 outside of the image.

    Raises:
        ValueError: If those that are there are of other images.
    """
    import torch
    from rich.progress import track

    def make() -> Tensor:
        network = FrozenNetwork(images, args)
        return torch.stack([
            network.features(n, torch.stack([image, image.flip(-1)]))
            for n, image in ((n, images.image(n)) for n in track(
                range(len(images.ids)), 'features'))])

    path = features_path(args)
    features = stored(path, make)
    grid = images.enlarge * images.size // STRIDE
    if (len(features), features.shape[-1]) != (len(images.ids), grid):
        raise ValueError(
            f'{path} holds {len(features)} photos on grids of {features.shape[-1]} '
            f'cells a side, not {len(images.ids)} on {grid}: give another file')
    return features.float()


def features_path(args: argparse.Namespace) -> str:
    return args.features or osp.join(args.out, 'features.pt')


class FrozenNetwork:
    """The backbone and its principal components, which are stored beside the features
    of images, so that other views of an image have the same ones.

    Args:
        images (Images): The images.
        args (Namespace): The command line.
    """

    def __init__(self, images: Images, args: argparse.Namespace) -> None:
        self.images = images
        self.network, self.mean, self.std = load_network(args)
        self.centre, self.basis = stored(
            osp.splitext(features_path(args))[0] + '_basis.pt',
            lambda: self.make_basis(args.components))

    def features(self, n: int, views: Tensor) -> Tensor:
        """Components (v, K, g, g) of views (v, 3, H, W) of an image, uint8; in half
        precision, 0 outside of the image."""
        import torch
        rows, columns = self.images.covered(n, STRIDE)
        inside = self.raw(views)[..., :rows, :columns]
        grid = self.images.enlarge * self.images.size // STRIDE
        reduced = torch.zeros(len(views), self.basis.shape[1], grid, grid,
                              dtype=torch.half)
        reduced[..., :rows, :columns] = torch.einsum(
            'kc,vchw->vkhw', self.basis.T, inside - self.centre[:, :, None])
        return reduced

    def raw(self, views: Tensor) -> Tensor:
        """What the backbone answers to views (v, 3, H, W), uint8."""
        import torch
        from torch.nn import functional
        times = self.images.enlarge
        if times > 1:
            views = functional.interpolate(
                views.float(), scale_factor=times, mode='bicubic',
                align_corners=False).clamp(0, 255)
        size = times * self.images.size
        squares = torch.zeros(len(views), 3, size, size)
        squares[..., :views.shape[2], :views.shape[3]] = (
            views / 255 - self.mean) / self.std
        with torch.no_grad():
            return self.network(squares)[-1]

    def make_basis(self, components: int) -> list[Tensor]:
        """The centre (C, 1) and the basis (C, K) of the features of every second
        image of train."""
        import torch
        from rich.progress import track
        samples = []
        for n in track(self.images.train[::2], 'principal components'):
            rows, columns = self.images.covered(n, STRIDE)
            samples.append(self.raw(self.images.image(n)[None])[
                0, :, :rows, :columns].flatten(1)[:, ::6])
        every = torch.cat(samples, dim=1)
        centre = every.mean(dim=1, keepdim=True)
        centred = every - centre
        variance, basis = torch.linalg.eigh(centred @ centred.T / every.shape[1])
        variance = variance.flip(0)[:components].clamp(min=1e-6)
        # Components of nearly equal size are learnt at one rate.
        return [centre,
                basis.flip(1)[:, :components] / (variance * variance[0])**.25 * 3]


def load_network(args: argparse.Namespace) -> tuple[nn.Module, Tensor, Tensor]:
    """The backbone at stride 16, and the mean and deviation of its images."""
    import timm
    import torch
    network = timm.create_model(
        args.model, features_only=True, output_stride=STRIDE,
        pretrained=args.weights is None, **args.model_options).eval()
    if args.weights:
        network.load_state_dict(
            torch.load(args.weights, map_location='cpu', weights_only=True),
            strict=False)
    mean, std = (torch.tensor(network.pretrained_cfg[key])[:, None, None]
                 for key in ('mean', 'std'))
    return network, mean, std


class Descent:
    """AdamW at polynomially falling rates.

    Args:
        parameters (Iterable): What learns: parameters, or groups of them.
        iters (int): How many steps there will be.
        rate (float): The first rate. Defaults to 1e-3.
        power (float): Of the fall; at 0 rates are constant. Defaults to 0.9.
    """

    def __init__(self, parameters: Iterable, iters: int, rate: float = 1e-3,
                 power: float = 0.9) -> None:
        import torch
        self.optimizer = torch.optim.AdamW(parameters, rate, weight_decay=0.01)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, lambda step: (1 - step / iters)**power)

    def step(self, loss: Tensor) -> None:
        """Go a step down a loss."""
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.schedule.step()


class FrozenRun:
    """One run of all rows of a table, of one seed of the random numbers.

    Args:
        images (Images): The images.
        features (Tensor): Of shape (N, 2, K, g, g).
        seed (int): The seed.
        args (Namespace): The command line.
    """

    def __init__(self, images: Images, features: Tensor, seed: int,
                 args: argparse.Namespace) -> None:
        self.images, self.features, self.seed = images, features, seed
        self.args = args
        self.num_classes = len(images.classes) + 1

    def batches(self, iters: int, size: int = 16, images: Sequence[int] | None = None,
                views: int = 2) -> Iterable[tuple[list, list]]:
        """Numbers of images, by default of all that choose nothing, and which view of
        each: by default whether it is mirrored."""
        import torch
        order: list[int] = []
        fit = torch.tensor(images or self.images.fit)
        size = min(size, len(fit))
        for _ in range(iters):
            if len(order) < size:
                order += fit[torch.randperm(len(fit))].tolist()
            batch, order = order[:size], order[size:]
            yield batch, torch.randint(0, views, (size, )).tolist()

    def inputs(self, batch: list[int], mirrored: list[int]) -> Tensor:
        """The features (n, K, g, g) of a batch."""
        import torch
        return torch.stack([
            self.features[n, flip] for n, flip in zip(batch, mirrored, strict=True)])

    def inside(self, batch: list[int]) -> Tensor:
        """Cells (n, 1, g, g) that lie in the images of a batch."""
        import torch
        inside = torch.zeros(len(batch), 1, *self.features.shape[3:], dtype=torch.bool)
        for one, n in zip(inside, batch, strict=True):
            rows, columns = self.images.covered(n, STRIDE)
            one[:, :rows, :columns] = True
        return inside

    def pool(self, batch: list[int], maps: Tensor) -> Tensor:
        """The means (n, K) of class maps (n, K, g, g), each over its image."""
        import torch
        return torch.stack([
            one[:, :rows, :columns].mean(dim=(1, 2)) for one, (rows, columns) in zip(
                maps, (self.images.covered(n, STRIDE) for n in batch), strict=True)])

    def train_head(self, network: nn.Module, iters: int, rate: float,
                   loss: Callable[[Tensor, list, list], Tensor]) -> None:
        """Train a head on the images that choose nothing; ``loss(features, images,
        mirrored)`` is that of a batch."""
        descent = Descent(network.parameters(), iters, rate)
        for batch, mirrored in self.batches(iters):
            descent.step(loss(self.inputs(batch, mirrored), batch, mirrored))

    def maps(self, head: nn.Module, numbers: list[int]) -> Tensor:
        """Class maps (n, K, g, g) of images."""
        return self.in_batches(lambda x: head((x, )).maps, numbers)

    def in_batches(self, answer: Callable[[Tensor], Tensor],
                   numbers: list[int]) -> Tensor:
        """What a function answers to the features (n, K, g, g) of images."""
        import torch
        with torch.no_grad():
            return torch.cat([answer(self.features[numbers[i:i + 32], 0])
                              for i in range(0, len(numbers), 32)])

    def seed_scores(self, maps: Tensor, numbers: list[int]) -> list[dict]:
        """The scores at each of THRESHOLDS of the seeds that class maps make."""
        from mmwsss.ops import max_norm
        seeds = max_norm((maps * self.inside(numbers)).relu())
        seeds *= self.images.tags[numbers][:, :, None, None]
        return self.threshold_scores(
            dict(zip(numbers, seeds, strict=True)).__getitem__, numbers)

    def threshold_scores(self, seeds: Callable[[int], Tensor],
                         numbers: Iterable[int]) -> list[dict]:
        """The scores of normalised seeds (K, g, g) of the classes that an image's tags
        name, at each of THRESHOLDS."""
        def at_image(n: int) -> tuple[Tensor, Tensor]:
            present = self.images.tags[n].nonzero().flatten()
            return self.images.at_image(n, seeds(n)[present]), present + 1

        return self.images.threshold_scores(at_image, numbers)


def at_best_threshold(scored: Sequence[dict], choose: Sequence[dict]) -> dict:
    """Of scores at each of THRESHOLDS, those at the one that is best on the images
    that choose, and the threshold."""
    best = max(range(len(choose)), key=lambda i: choose[i]['mIoU'])
    return dict(scored[best], threshold=THRESHOLDS[best])


def print_rows(runs: Sequence[dict], width: int,
               columns: dict[str, tuple[str, int, int]],
               rows: Iterable[str] | None = None) -> None:
    """Print the mean of each row over the runs that have it, with the range of the
    mIoU.

    Args:
        runs (Sequence[dict]): Scores by row and column.
        width (int): Of the names of rows.
        columns (dict): Title, width and digits of each; blank in a row where a run
            lacks it.
        rows (Iterable[str], optional): Defaults to those of all runs.
    """
    titles = (f'{title:>{space}}' + f' {"range":>10}' * (key == 'mIoU')
              for key, (title, space, _) in columns.items())
    print(f'{"":{width}} {" ".join(titles)}')
    for row in rows or common_rows(runs):
        having = [run[row] for run in runs if row in run]
        cells = []
        for key, (_, space, digits) in columns.items():
            values = [one[key] for one in having if key in one]
            whole = len(values) == len(having)
            cells.append(f'{sum(values) / len(values):{space}.{digits}f}' if whole
                         else ' ' * space)
            if key == 'mIoU':
                cells.append(f'{min(values):5.1f}-{max(values):.1f}')
        print(f'{row:{width}} {" ".join(cells)}')


def common_rows(runs: Sequence[dict]) -> list[str]:
    """The rows that all runs have."""
    return [row for row in runs[0] if all(row in run for run in runs)]


def summary(confusion: Tensor) -> dict[str, float]:
    """The scores of a confusion matrix that the table shows."""
    from mmwsss.evaluation.metrics.confusion_scores import SCORE_NAMES, confusion_scores
    scores = confusion_scores(confusion)
    return {key: float(scores[SCORE_NAMES[key]])
            for key in ('mIoU', 'precision', 'recall', 'FPR', 'FNR')}
