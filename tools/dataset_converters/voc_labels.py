# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Make the label table of PASCAL VOC from its XML annotations.

An image has a class if any <name> in its XML file says so: difficult and
truncated objects count. This is the rule behind the cls_labels.npy that PSA,
IRN, SEAM and their followers share.

Example:
    python tools/dataset_converters/voc_labels.py data/VOCdevkit/VOC2012
"""

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import argparse
import os
import os.path as osp
from typing import BinaryIO
from xml.parsers import expat

from mmwsss.utils import read_id_list
from mmwsss.utils.arguments import ToolParser
from mmwsss.utils.entry_point import run_tool
from mmwsss.utils.parallel import track_progress


def names_in_xml(path: str, classes: list[str]) -> list[str]:
    """Return the classes that an annotation file names, in class order.

    Names that are no class, as those of body parts, are left out.

    Args:
        path (str): A VOC annotation file.
        classes (list[str]): All classes, background first.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: Naming the file, if it is not XML, or has a document type: its
            entities could name other files, or grow without bounds.
    """
    with open(path, 'rb') as file:
        try:
            found = _names(file)
        except expat.ExpatError as error:
            raise ValueError(f'{path} is not valid XML: {error}') from error
        except ValueError as error:
            raise ValueError(f'{path}: {error}') from error
    return [name for name in classes[1:] if name in found]


def _names(file: BinaryIO) -> set[str]:
    """The texts of all <name> elements, up to their first child."""
    found: set[str] = set()
    text: list[str] | None = None

    def start(tag: str, _) -> None:
        nonlocal text
        end(tag)
        text = [] if tag == 'name' else None

    def end(_) -> None:
        nonlocal text
        if text is not None:
            found.add(''.join(text).strip())
        text = None

    def characters(data: str) -> None:
        if text is not None:
            text.append(data)

    def doctype(*_) -> None:
        raise ValueError('an annotation has no <!DOCTYPE>, this is another file')

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = characters
    parser.StartDoctypeDeclHandler = doctype
    parser.ParseFile(file)
    return found


def parse_args() -> argparse.Namespace:
    parser = ToolParser(__doc__)
    parser.add_argument('data_root', help='folder that holds Annotations/')
    parser.add_argument(
        '--list',
        nargs='+',
        help='lists of ids to convert, by default all annotated images')
    parser.add_argument(
        '--out', help='table to write, by default <root>/image_labels.json')
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    from mmwsss.datasets.class_names import class_names
    from mmwsss.structures import save_label_table
    folder = osp.join(args.data_root, 'Annotations')
    if args.list:
        ids = [i for path in args.list for i in read_id_list(path)]
    else:
        ids = sorted(
            osp.splitext(name)[0] for name in os.listdir(folder)
            if name.endswith('.xml'))
    if not ids:
        raise ValueError(f'{folder} holds no XML file')
    classes = class_names('voc')
    ids = list(dict.fromkeys(ids))
    table = {
        image_id: names_in_xml(osp.join(folder, f'{image_id}.xml'), classes)
        for image_id in track_progress(ids, len(ids))
    }
    out = args.out or osp.join(args.data_root, 'image_labels.json')
    save_label_table(out, table)
    print(f'{out}: {len(table)} images, '
          f'{sum(map(len, table.values()))} tags')


if __name__ == '__main__':
    run_tool(parse_args, main)
