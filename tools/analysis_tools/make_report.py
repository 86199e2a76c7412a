# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Write report.html and contact_sheet.png of a run.

    python tools/analysis_tools/make_report.py CONFIG SPEC.json --out DIR

tools/pipeline.py writes SPEC.json and calls this as its last step. CONFIG
names the images (by its dataloaders); SPEC.json holds

    title, protocol, steps, headline, files: see
        mmwsss.visualization.report.render_report
    sections: [{title, loader, num_images, rank_by, columns: [
        {title, seeds, bg_thr} or {title, masks}], every_photo}]; each is shown by
        some photos and, unless every_photo is false, by all
    checks: JSON files with lists of {title, status, text, pictures}, or such dicts;
        status is ok, warning or failed, pictures are image files; '' stands for none
    curves: [{title, train, metrics}], folders of trainings
    thresholds: {title: file of evaluate_seeds.py --details}
"""

from __future__ import annotations

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import argparse
import os.path as osp
from typing import TYPE_CHECKING

import mmwsss
from mmwsss.utils import atomic_write, load_config, read_json
from mmwsss.utils.arguments import ToolParser
from mmwsss.utils.entry_point import run_tool

if TYPE_CHECKING:
    from mmengine.config import Config


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = ToolParser(__doc__)
    parser.add_argument('config', help='config that names the images')
    parser.add_argument('spec', help='JSON file that says what to show')
    parser.add_argument('--out', required=True, help='folder for the two files')
    return parser.parse_args()


def build_dataset(cfg: Config, loader: str):
    """The images of a dataloader, with the masks that there are."""
    from mmwsss.datasets.image_ids import image_dataset
    if loader not in cfg:
        raise ValueError(f'{cfg.filename} has no {loader}')
    dataset = cfg[loader].dataset
    if not dataset.get('with_masks', True):
        dataset = dict(dataset, with_masks='available')
    return image_dataset(cfg, dataset)


def collect(spec: dict, cfg: Config) -> list:
    """All sections."""
    from mmwsss.visualization.report_rows import collect_section
    sections = []
    for number, section in enumerate(spec['sections'], 1):
        section = dict(section)
        section.pop('every_photo', None)
        dataset = build_dataset(cfg, section.pop('loader', 'val_dataloader'))
        print(f'{section["title"]}: {len(dataset)} images '
              f'({number} of {len(spec["sections"])} sections)', flush=True)
        sections.append(collect_section(dataset, **section))
    return sections


def collect_sets(spec: dict, cfg: Config) -> list:
    """All images of the sections, for the page's script."""
    from mmwsss.visualization.report_images import collect_every_image

    def tell(done: int, total: int) -> None:
        if done % 500 == 0 or done == total:
            print(f'{done} of {total} photos', flush=True)

    return [
        collect_every_image(
            build_dataset(cfg, section.get('loader', 'val_dataloader')),
            section['title'], section['columns'], tell=tell)
        for section in spec['sections'] if section.get('every_photo', True)]


def read_checks(spec: dict) -> list[dict]:
    """What the run said of itself, with its pictures."""
    from mmwsss.datasets.image_io import read_image
    checks = []
    for entry in filter(None, spec.get('checks', ())):
        checks += read_json(entry) if isinstance(entry, str) else [entry]
    for check in checks:
        lacking = {'title', 'status', 'text'} - set(check)
        if lacking:
            raise ValueError(f'a check has no {", ".join(sorted(lacking))}: {check}')
    return [dict(check, pictures=[read_image(path) for path in
                                  check.get('pictures', ())]) for check in checks]


def draw_curves(spec: dict) -> dict[str, str]:
    """All figures as SVG."""
    from mmwsss.visualization.report_curves import (
        figure_svg,
        threshold_figure,
        training_figure,
    )
    figures = {}
    if spec.get('thresholds'):
        figures['Seeds over all thresholds'] = threshold_figure(spec['thresholds'])
    for curve in spec.get('curves', ()):
        figures[curve['title']] = training_figure(
            curve['train'], curve.get('metrics'))
    return {title: figure_svg(figure, title) for title, figure in figures.items()}


def main(args: argparse.Namespace) -> None:
    """Write the report."""
    from mmwsss.visualization.contact_sheet import save_contact_sheet
    from mmwsss.visualization.report import render_report
    cfg = load_config(args.config)
    spec = read_json(args.spec)
    sections = collect(spec, cfg)
    page = render_report(
        spec['title'],
        sections,
        steps=spec.get('steps', ()),
        curves=draw_curves(spec),
        protocol=spec.get('protocol'),
        headline=spec.get('headline', ()),
        version=mmwsss.__version__,
        images=collect_sets(spec, cfg),
        checks=read_checks(spec),
        files=spec.get('files'))
    save_contact_sheet(
        osp.join(args.out, 'contact_sheet.png'), sections, spec['title'])
    with atomic_write(osp.join(args.out, 'report.html'), 'w') as file:
        file.write(page)


if __name__ == '__main__':
    run_tool(parse_args, main)
