# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Time PAMR against a direct stack of all neighbours, and compare memory.

Both run in turn in one process; quote the ratios, not the times.

    python tools/analysis_tools/benchmark_pamr.py
    python tools/analysis_tools/benchmark_pamr.py --device cuda
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from mmwsss.ops import pamr

DILATIONS = (1, 2, 4, 8, 12, 24)


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--channels', type=int, default=21)
    parser.add_argument('--size', type=int, nargs=2, default=(375, 500),
                        help='height and width')
    parser.add_argument('--iterations', type=int, default=10)
    parser.add_argument('--runs', type=int, default=3)
    parser.add_argument('--threads', type=int, help='of the CPU')
    parser.add_argument('--device', default='cpu')
    return parser.parse_args()


def stack(x: Tensor, centre: bool) -> Tensor:
    """The neighbours of all pixels: (N, C, P, H, W)."""
    height, width = x.shape[2:]
    copies = []
    for d in DILATIONS:
        padded = F.pad(x, [d] * 4, mode='replicate')
        copies += [
            padded[..., i * d:i * d + height, j * d:j * d + width]
            for i in range(3) for j in range(3) if centre or (i, j) != (1, 1)
        ]
    return torch.stack(copies, 2)


@torch.no_grad()
def stacked_pamr(masks: Tensor, images: Tensor, num_iter: int) -> Tensor:
    """PAMR as the formulas read."""
    deviation = stack(images, True).std(2, keepdim=True)
    distance = (stack(images, False) - images[:, :, None]).abs()
    weights = -distance / (1e-8 + 0.1 * deviation)
    weights = weights.mean(1, keepdim=True).softmax(2)
    for _ in range(num_iter):
        masks = (stack(masks, False) * weights).sum(2)
    return masks


def measure(function: Callable[[], Tensor], cuda: bool) -> tuple[float, Tensor]:
    """Seconds of one call, and its result."""
    if cuda:
        torch.cuda.synchronize()
    start = time.perf_counter()
    result = function()
    if cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - start, result


def peak_memory(function: Callable[[], Tensor], cuda: bool) -> int:
    """The most bytes that a call holds at a time."""
    if cuda:
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        function()
        return torch.cuda.max_memory_allocated() - before
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as trace:
        function()
    held = peak = 0
    for event in trace.profiler.kineto_results.events():
        if event.name() == '[memory]':
            held += event.nbytes()
            peak = max(peak, held)
    return peak


def main() -> None:
    """Measure and print."""
    args = parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    masks = torch.randn(1, args.channels, *args.size).softmax(1)
    images = F.interpolate(
        torch.rand(1, 3, 24, 32), size=tuple(args.size), mode='bicubic')
    masks, images = masks.to(args.device), images.to(args.device)
    cuda = masks.is_cuda

    def ours(iterations: int = args.iterations) -> Tensor:
        return pamr(masks, images, iterations, DILATIONS)

    def stacked(iterations: int = args.iterations) -> Tensor:
        return stacked_pamr(masks, images, iterations)

    # Memory does not grow with the iterations; these calls warm up, too.
    memory = [peak_memory(lambda f=f: f(1), cuda) for f in (stacked, ours)]
    times, ratios = ([], []), []
    for _ in range(args.runs):
        theirs, expected = measure(stacked, cuda)
        mine, actual = measure(ours, cuda)
        times[0].append(theirs)
        times[1].append(mine)
        ratios.append(theirs / mine)
    print(f'{args.channels} channels, {args.size[0]} x {args.size[1]}, '
          f'{args.iterations} iterations, {args.device}, '
          f'{torch.get_num_threads()} threads')
    print(f'stack {statistics.median(times[0]):.3f} s, mmwsss '
          f'{statistics.median(times[1]):.3f} s (medians), ratio '
          f'{statistics.median(ratios):.1f} ({min(ratios):.1f} to '
          f'{max(ratios):.1f})')
    print(f'peak memory: stack {memory[0] / 2**20:.0f} MiB, mmwsss '
          f'{memory[1] / 2**20:.0f} MiB, ratio {memory[0] / memory[1]:.1f}')
    print(f'largest difference {(expected - actual).abs().max():.1e}')


if __name__ == '__main__':
    main()
