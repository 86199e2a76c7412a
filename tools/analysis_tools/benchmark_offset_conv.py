# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Time offset convolution against torchvision's deformable convolution.

Both run in turn in one process; quote the ratio, not the times.

    python tools/analysis_tools/benchmark_offset_conv.py --channels 1024 --mid 256
"""

import argparse
import statistics
import time

import torch
from torchvision.ops import deform_conv2d

from mmwsss.ops import offset_conv2d


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--batch', type=int, default=4)
    parser.add_argument('--channels', type=int, default=1024)
    parser.add_argument('--mid', type=int, default=256)
    parser.add_argument('--kernel-size', type=int, default=3)
    parser.add_argument('--size', type=int, default=20, help='height and width')
    parser.add_argument('--runs', type=int, default=5)
    parser.add_argument('--device', default='cpu')
    return parser.parse_args()


def main():
    args = parse_args()
    k = args.kernel_size
    torch.manual_seed(0)
    x = torch.rand(args.batch, args.channels, args.size, args.size)
    offset = torch.randn(args.batch, 2 * k * k, args.size, args.size)
    weight = torch.randn(args.mid, args.channels, k, k) / args.channels
    x, offset, weight = (t.to(args.device) for t in (x, offset, weight))
    offset.requires_grad_()

    def step(function):
        start = time.perf_counter()
        output = function()
        gradient, = torch.autograd.grad(output.square().sum(), offset)
        if x.is_cuda:
            torch.cuda.synchronize()
        return time.perf_counter() - start, output.detach(), gradient

    ratios, times = [], ([], [])
    for run in range(args.runs + 1):
        theirs = step(lambda: deform_conv2d(x, offset, weight, padding=k // 2))
        ours = step(lambda: offset_conv2d(x, offset, weight))
        if run > 0:  # the first run warms up
            ratios.append(theirs[0] / ours[0])
            times[0].append(theirs[0])
            times[1].append(ours[0])
    print(f'{args.channels} -> {args.mid} channels, kernel {k}, '
          f'{args.batch} x {args.size} x {args.size}, {args.device}, '
          f'{torch.get_num_threads()} threads, forward and backward')
    print(f'torchvision {statistics.median(times[0]):.3f} s, '
          f'mmwsss {statistics.median(times[1]):.3f} s (medians)')
    print(f'ratio {statistics.median(ratios):.1f} '
          f'({min(ratios):.1f} to {max(ratios):.1f})')
    print(f'largest difference: output {(theirs[1] - ours[1]).abs().max():.1e}, '
          f'gradient {(theirs[2] - ours[2]).abs().max():.1e}')


if __name__ == '__main__':
    main()
