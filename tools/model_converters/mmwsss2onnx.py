# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Write a trained segmentation model as one ONNX file, from photo to mask.

    python tools/model_converters/mmwsss2onnx.py configs/deeplab/deeplabv2_folder.py \
        work_dirs/.../train_segmentor/iter_5000.pth model.onnx

It reads RGB pixels, uint8 (1, 3, H, W) of any size, and gives class ids, uint8
(1, H, W). onnxruntime runs it without torch.
"""

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import argparse

from mmwsss.utils.arguments import ToolParser
from mmwsss.utils.entry_point import run_tool


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = ToolParser(__doc__)
    parser.add_argument('config', help='config file, or its name in configs/')
    parser.add_argument('checkpoint', help='checkpoint file of that model')
    parser.add_argument('out', help='file to write')
    parser.add_argument(
        '--opset', type=int, default=17,
        help="version of ONNX's operators (default: 17)")
    parser.add_cfg_options()
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    """Write the file."""
    from mmwsss.apis import export_onnx
    export_onnx(args.config, args.checkpoint, args.out, args.opset, args.cfg_options)
    print(f'{args.out} written')


if __name__ == '__main__':
    run_tool(parse_args, main)
