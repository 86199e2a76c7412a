# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Make the demo data: generated scenes in VOC layout, the same every time.

Example:
    python tools/dataset_converters/make_demo_data.py --out data/demo
"""

import argparse
import time

from mmwsss.utils.entry_point import run_tool
from mmwsss.utils.import_hooks import quiet_imports


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', default='data/demo', help='folder to write')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument(
        '--num-train', type=int, default=300, help='scenes to train on')
    parser.add_argument(
        '--num-val', type=int, default=80, help='scenes to test on')
    parser.add_argument(
        '--size', type=int, default=96, help='side of the pictures in pixels')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    quiet_imports()
    from mmwsss.datasets.demo_scenes import make_demo_data
    start = time.time()
    make_demo_data(args.out, args.seed, args.num_train, args.num_val,
                   args.size)
    print(f'{args.num_train} scenes to train on and {args.num_val} to test on '
          f'in {args.out} ({time.time() - start:.1f} s)')


if __name__ == '__main__':
    run_tool(main)
