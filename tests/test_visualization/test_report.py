# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import base64
import hashlib
import html
import io
import json
import os
import re
import shutil
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest
from PIL import Image

from mmwsss.datasets import WeakDemoDataset
from mmwsss.datasets.image_io import read_mask, write_mask
from mmwsss.structures import Seed
from mmwsss.visualization.contact_sheet import (
    _glyphs,
    draw_contact_sheet,
    find_font,
)
from mmwsss.visualization.distinct_colors import clear_palette, distinct_colors
from mmwsss.visualization.report import render_report
from mmwsss.visualization.report_curves import (
    figure_svg,
    threshold_figure,
    training_figure,
)
from mmwsss.visualization.report_images import (
    SIDES,
    THRESHOLDS,
    choose_side,
    collect_every_image,
)
from mmwsss.visualization.report_rows import (
    Cell,
    Row,
    Section,
    collect_section,
    image_iou,
)


@pytest.fixture
def dataset(voc_root):
    return WeakDemoDataset(
        data_root=str(voc_root),
        ann_file='ImageSets/Segmentation/train.txt',
        label_file='image_labels.json',
        with_masks=True)


@pytest.fixture
def columns(dataset, tmp_path):
    """Seeds that are the truth, and masks that get worse from id to id."""
    for number in range(len(dataset)):
        info = dataset.get_data_info(number)
        truth = read_mask(info['seg_map_path'])
        labels = np.flatnonzero(info['tags'])[1:]
        scores = np.stack([(truth == label).astype(np.float32) for label in labels])
        Seed(scores, labels, truth.shape).save(
            str(tmp_path / f'seeds/{info["img_id"]}.npz'))
        worse = truth.copy()
        worse[:number * 6] = 0
        write_mask(str(tmp_path / f'masks/{info["img_id"]}.png'), worse,
                   dataset.metainfo['palette'])
    return [
        dict(title='Seed', seeds=str(tmp_path / 'seeds'), bg_thr=0.5),
        dict(title='Mask', masks=str(tmp_path / 'masks'))
    ]


def naive_iou(mask, truth, num_classes):
    scores = []
    for label in range(num_classes):
        ours = (mask == label) & (truth != 255)
        theirs = truth == label
        if ours.any() or theirs.any():
            scores.append((ours & theirs).sum() / (ours | theirs).sum())
    return 100 * np.mean(scores)


def test_image_iou():
    rng = np.random.RandomState(0)
    for _ in range(5):
        truth = rng.choice([0, 1, 3, 255], (9, 7)).astype(np.uint8)
        mask = rng.choice([0, 1, 2], (9, 7)).astype(np.uint8)
        assert image_iou(mask, truth, 5) == pytest.approx(naive_iou(mask, truth, 5))
    assert image_iou(truth, truth, 5) == 100


def test_rows_go_from_best_to_worst(dataset, columns):
    section = collect_section(dataset, 'Train', columns, num_images=4)
    assert section.columns == ['Photo', 'Seed', 'Mask', 'Ground truth']
    assert section.images == 8 and section.ranked_by == 'Mask'
    ious = [row.cells[2].iou for row in section.rows]
    assert ious == sorted(ious, reverse=True) and ious[0] == 100 > ious[-1]
    for row in section.rows:
        assert [cell.iou for cell in (row.cells[0], row.cells[3])] == [None, None]
        assert row.cells[1].iou == pytest.approx(100)
        assert set(row.tags) <= set(section.classes)
        assert all(cell.picture.shape == (64, 64, 3) for cell in row.cells)
    again = collect_section(dataset, 'Train', columns, num_images=4)
    assert [row.name for row in again.rows] == [row.name for row in section.rows]


def test_images_without_all_files_are_left_out(dataset, columns):
    first = dataset.get_data_info(0)['img_id']
    os.remove(os.path.join(columns[0]['seeds'], f'{first}.npz'))
    section = collect_section(dataset, 'Train', columns, num_images=20)
    assert section.images == len(section.rows) == 7
    assert first not in [row.name for row in section.rows]
    columns[0]['seeds'] += '_none'
    with pytest.raises(FileNotFoundError, match="section 'Train'.*_none"):
        collect_section(dataset, 'Train', columns)
    with pytest.raises(ValueError, match="rank_by 'CRF'"):
        collect_section(dataset, 'Train', columns, rank_by='CRF')


def test_without_masks_nothing_is_scored(voc_root, columns):
    dataset = WeakDemoDataset(
        data_root=str(voc_root),
        ann_file='ImageSets/Segmentation/train.txt',
        label_file='image_labels.json')
    section = collect_section(dataset, 'Train', columns, num_images=3)
    assert section.columns[-1] == 'Mask'
    assert all(cell.iou is None for row in section.rows for cell in row.cells)
    assert 'A white' in render_report('No masks', [section])
    masks = collect_section(dataset, 'Train', columns[1:], num_images=1)
    assert 'A white' not in render_report('No seeds', [masks])


class Page(HTMLParser):
    """Counts elements and collects what they point to."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.links, self.open = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for key, value in attrs if key in ('src', 'href')]
        if tag not in ('meta', 'img', 'br'):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_report_is_one_whole_file(dataset, columns):
    section = collect_section(dataset, 'Train', columns, num_images=3)
    steps = [dict(name='train', type='train', seconds=61, numbers={'mIoU': '12.3'}),
             dict(name='skipped', type='test')]
    text = render_report(
        'A run', [section], steps=steps, protocol=dict(labels='tags'),
        curves=dict(Losses='<svg></svg>'),
        headline=[dict(title='mIoU', value=40.0, full=50.0)], version='1')
    page = Page(text)
    assert page.open == []
    assert page.tags.count('img') == 3 * 4 and page.tags.count('svg') == 1
    assert 'script' not in page.tags and 'link' not in page.tags
    assert all(link.startswith('data:image/') for link in page.links)
    for said in ('2 steps in 1:01', '80 % of 50.0', '12.3', 'labels</b>: tags'):
        assert said in text
    assert '://' not in re.sub(r'data:image[^"]*', '', text)
    assert "default-src &#39;none&#39;" in text


def test_pictures_of_checks_can_be_read():
    """Tall sheets keep their size; those of tables are small."""
    sheet = np.random.RandomState(0).randint(0, 256, (900, 100, 3), np.uint8)
    row = Row('photo', ['cat'], [Cell(sheet)])
    section = Section('Train', ['Photo'], [row], {}, 1, 'Photo')
    text = render_report('A run', [section], checks=[
        dict(title='class cat', status='failed', text='gone', pictures=[sheet])])
    sizes = [Image.open(io.BytesIO(base64.b64decode(data))).size for data in
             re.findall(r'data:image/jpeg;base64,([^"]*)', text)]
    assert sizes == [(100, 900), (36, 320)]
    assert Page(text).open == []


def test_report_escapes_every_text():
    """Whatever users name things, it is text of the page and no markup."""
    evil = '<script>"ä" & \'b\'</script>'
    picture = np.zeros((2, 3, 3), np.uint8)
    rows = [Row(evil, tags, [Cell(picture), Cell(picture, 50.)])
            for tags in ([evil], [])]
    section = Section(evil, [evil, evil], rows, {evil: (1, 2, 3)}, 9, evil)
    text = render_report(
        evil, [section], curves={evil: '<svg></svg>'}, protocol={evil: evil},
        steps=[dict(name=evil, type=evil, numbers={evil: evil}, protocol=evil)],
        headline=[dict(title=evil, value=1, note=evil)], version=evil)
    page = Page(text)
    assert page.open == []
    assert '2 of 9 photos, evenly spread' in text
    assert 'script' not in page.tags and page.tags.count('svg') == 1
    # Title twice, version, card 2, section 2 + 2 heads + legend, 2 rows of two
    # pictures with alt and title, captions 2, curve 1, steps 4, protocol 2 + 2.
    assert html.unescape(text).count(evil) == 29


def naive_class_ious(mask, truth, num_classes):
    """Of a list of masks, IoU over all their pixels; None without any."""
    ious = []
    for label in range(num_classes):
        both = sum(((m == label) & (t == label)).sum()
                   for m, t in zip(mask, truth, strict=True))
        either = sum((((m == label) | (t == label)) & (t != 255)).sum()
                     for m, t in zip(mask, truth, strict=True))
        ious.append(round(100 * both / either, 2) if either else None)
    return ious


def planes_of(image):
    data = np.asarray(Image.open(io.BytesIO(base64.b64decode(image['maps']))))
    return data.reshape(-1, *image['size'][::-1])


def test_every_image_has_its_numbers_and_maps(dataset, columns):
    rng = np.random.default_rng(0)
    truths, seeds, masks = [], [], []
    for number in range(len(dataset)):
        info = dataset.get_data_info(number)
        path = f'{columns[0]["seeds"]}/{info["img_id"]}.npz'
        seed = Seed.load(path)
        noisy = Seed(rng.random(seed.scores.shape), seed.labels, seed.size)
        noisy.save(path)
        truths.append(read_mask(info['seg_map_path']))
        seeds.append(Seed.load(path))
        masks.append(read_mask(f'{columns[1]["masks"]}/{info["img_id"]}.png'))
    told = []
    found = collect_every_image(
        dataset, 'Train', columns, tell=lambda *n: told.append(n))
    json.dumps(found)
    assert told[-1] == (8, 8) and found['total'] == 8 and found['scored']
    classes = len(found['classes'])
    seed_column, mask_column = found['columns']
    assert seed_column['seed'] and THRESHOLDS[seed_column['own']] == 0.5
    assert mask_column['iou'] == [naive_class_ious(masks, truths, classes)]
    for level in (0, 24, 48):
        at = [seed.to_mask(THRESHOLDS[level]).numpy() for seed in seeds]
        assert seed_column['iou'][level] == naive_class_ious(at, truths, classes)
        for image, mask, truth in zip(found['images'], at, truths, strict=True):
            expected = image_iou(mask, truth, classes)
            assert image['iou'][0][level] == pytest.approx(expected, abs=0.06)
            # These images are no larger than their small picture.
            best, exceeded, *_ = planes_of(image)
            drawn = np.where(exceeded > level, best, 0)
            if image['size'] == [64, 64]:
                np.testing.assert_array_equal(drawn, mask)
    for number, image in enumerate(found['images']):
        info = dataset.get_data_info(number)
        assert image['id'] == info['img_id']
        assert image['tags'] == np.flatnonzero(info['tags'])[1:].tolist()
        planes = planes_of(image)
        assert len(planes) == 4
        assert image['size'] == [64, 64]
        np.testing.assert_array_equal(planes[2], masks[number])
        np.testing.assert_array_equal(planes[3], truths[number])
        half = seeds[number].to_mask(0.5).numpy()
        agreed = image_iou(half, np.where(
            masks[number] == 255, 0, masks[number]), classes)
        assert image['disagreement'] == pytest.approx(100 - agreed, abs=0.06)


def test_images_without_truth_or_thresholds(voc_root, columns):
    dataset = WeakDemoDataset(
        data_root=str(voc_root), ann_file='ImageSets/Segmentation/train.txt',
        label_file='image_labels.json')
    found = collect_every_image(dataset, 'Train', columns[1:], max_images=3)
    assert len(found['images']) == 3 and found['total'] == 8
    assert not found['scored']
    image = found['images'][0]
    assert image['iou'] == [[]] and image['disagreement'] is None
    assert len(planes_of(image)) == 1
    page = Page(render_report('No masks', [], images=[found]))
    assert page.open == [] and page.tags.count('script') == 2
    with pytest.raises(FileNotFoundError, match="'Train'"):
        collect_every_image(dataset, 'Train', [dict(title='x', masks='nowhere')])


def test_images_with_masks_are_shown_first(dataset, columns, voc_root, tmp_path):
    ids = [dataset.get_data_info(i)['img_id'] for i in range(len(dataset))]
    root = tmp_path / 'voc'
    shutil.copytree(voc_root, root)
    for name in ids[:2] + ids[4:]:
        (root / 'SegmentationClass' / f'{name}.png').unlink()
    dataset = WeakDemoDataset(
        data_root=str(root), ann_file='ImageSets/Segmentation/train.txt',
        label_file='image_labels.json', with_masks='available')

    def shown(count):
        found = collect_every_image(dataset, 'Train', columns, max_images=count)
        return [image['id'] for image in found['images']]

    assert shown(1) == ids[2:3] and shown(2) == ids[2:4]
    assert shown(4) == [ids[0], *ids[2:4], ids[-1]]
    assert shown(8) == ids


def test_pictures_get_smaller_and_fewer_where_they_are_many():
    weight = dict(zip(SIDES, (9000, 6000, 3000, 1000), strict=True)).get
    assert choose_side(weight, 1000, 10_000_000) == (160, 1000)
    assert choose_side(weight, 1500, 10_000_000) == (128, 1500)
    assert choose_side(weight, 3000, 10_000_000) == (96, 3000)
    assert choose_side(weight, 20000, 10_000_000) == (64, 10000)


def test_colours_are_told_apart():
    colors = distinct_colors(100)
    assert len(set(colors)) == 100 and distinct_colors(7) == colors[:7]
    lab = cv2.cvtColor(np.array([colors], np.float32) / 255, cv2.COLOR_RGB2LAB)[0]
    gaps = np.linalg.norm(lab[:, None] - lab[None], axis=2) + 999 * np.eye(100)
    assert gaps[:20, :20].min() > 35 and gaps.min() > 12
    clear = [(0, 0, 0), (200, 0, 0), (0, 200, 0)]
    assert clear_palette(clear) == clear
    assert clear_palette([(0, 0, 0), (64, 0, 0)]) == [(0, 0, 0), colors[0]]
    dull = [(0, 0, 0), (200, 0, 0), (201, 0, 0)]
    assert clear_palette(dull) == [(0, 0, 0), *colors[:2]]
    assert clear_palette([(0, 0, 0)]) == [(0, 0, 0)]


def test_data_cannot_leave_their_element():
    evil = '</script><script>alert(1)</script><!-- é'
    text = render_report('A run', [], images=[dict(title=evil, images=[])], checks=[
        dict(title=evil, status='x" onclick="y', text=evil)], files={evil: evil})
    page = Page(text)
    assert page.open == [] and page.tags.count('script') == 2
    assert 'alert(1)</script>' not in text and 'onclick' in html.unescape(text)
    data = re.search(r'<script type="application/json"[^>]*>(.*?)</script>', text)[1]
    assert json.loads(data)['title'] == evil
    script = re.search(r'<script>(.*)</script>', text, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f'sha256-{digest}' in html.unescape(text)


def test_fonts_of_other_scripts(monkeypatch, tmp_path):
    """The usual one where it has all characters, else the one with most."""
    from matplotlib import font_manager
    plain = font_manager.findfont('DejaVu Sans')
    assert find_font(frozenset('dog, \u0441\u043e\u0431\u0430\u043a\u0430')) == plain
    # Of matplotlib's own fonts, a font of formulas alone has this one.
    rare = frozenset('dog \u0359')
    found = find_font(rare)
    assert os.path.basename(found) == 'STIXGeneral.ttf'
    assert '\u0359' not in _glyphs(plain) and rare <= _glyphs(found)
    # Without it, and where a font that is listed is gone, the usual one.
    find_font.cache_clear()
    gone = font_manager.FontEntry(
        fname=str(tmp_path / 'gone.ttf'), name='Gone', style='normal', weight=400)
    fonts = [font for font in font_manager.fontManager.ttflist
             if not font.name.startswith('STIX')]
    monkeypatch.setattr(font_manager.fontManager, 'ttflist', [*fonts, gone])
    assert find_font(rare) == plain
    find_font.cache_clear()


def test_contact_sheet(dataset, columns):
    section = collect_section(dataset, 'Train', columns, num_images=3)
    small = draw_contact_sheet([section], 'Title', cell=50)
    assert small.dtype == np.uint8 and small.shape[1] == 4 * 60 + 10
    both = draw_contact_sheet([section, section], 'Title', cell=50)
    assert both.shape[0] > small.shape[0] + 3 * 50
    assert (draw_contact_sheet([section], 'Title', cell=50) == small).all()


def write_scalars(folder, entries):
    folder.mkdir(parents=True)
    lines = [json.dumps(entry) for entry in entries]
    (folder / 'scalars.json').write_text('\n'.join(lines) + '\n{"lr": 1, "los')


def test_curves_join_runs(tmp_path):
    from mmwsss.recipes import read_scalars
    write_scalars(tmp_path / '20260101_000000/vis_data', [
        dict(lr=1, loss=3.0, step=10), dict(lr=1, loss=2.5, step=20),
        {'mIoU': 10.0, 'time': 1, 'step': 20}, dict(lr=1, loss=9.0, step=30)])
    write_scalars(tmp_path / '20260102_000000/vis_data', [
        dict(lr=1, loss=2.0, step=30), {'mIoU': 20.0, 'time': 1, 'step': 40}])
    (tmp_path / 'config.py').write_text(
        'custom_hooks = [dict(type="StageSwitchHook", stages=['
        'dict(name="classify", iters=20), dict(name="shrink", iters=20)])]')
    scalars = read_scalars(str(tmp_path))
    assert [entry['loss'] for entry in scalars.training] == [3.0, 2.5, 2.0]
    assert [entry['mIoU'] for entry in scalars.validation] == [10.0, 20.0]
    figure = training_figure(str(tmp_path))
    assert [line.get_label() for line in figure.axes[1].lines][:1] == ['mIoU']
    svg = figure_svg(figure, 'one')
    assert svg.startswith('<svg') and 'classify' in svg and 'currentColor' in svg
    assert svg == figure_svg(training_figure(str(tmp_path)), 'one')
    with pytest.raises(FileNotFoundError, match='no .*vis_data'):
        training_figure(str(tmp_path / 'none'))


def test_curves_of_a_training_too_short_to_log(tmp_path):
    data = tmp_path / '20260101_000000' / 'vis_data'
    data.mkdir(parents=True)
    figure = training_figure(str(tmp_path))
    assert len(figure.axes) == 1 and not figure.axes[0].lines
    (data / 'scalars.json').write_text('{"lr": 1, "loss": 3.0, "step": 20}')
    line, = training_figure(str(tmp_path)).axes[0].lines
    assert line.get_marker() == 'o'
    (data / 'scalars.json').write_text('{"mIoU": 10.0, "step": 20}')
    losses, metrics = training_figure(str(tmp_path)).axes
    assert not losses.lines
    assert metrics.lines[0].get_ydata().tolist() == [10.0]
    assert figure_svg(training_figure(str(tmp_path)), 'one').startswith('<svg')


def test_threshold_figure(tmp_path):
    path = tmp_path / 'details.json'
    curve = dict(thresholds=[0.1, 0.2], recall=[90, 50], precision=[40, None],
                 mIoU=[30, None])
    path.write_text(json.dumps(dict(details=curve)))
    figure = threshold_figure(dict(CAM=str(path)))
    best = figure.axes[1].lines[1]
    assert (best.get_xdata()[0], best.get_ydata()[0]) == (0.1, 30)
