# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The report in a real browser.

Needs playwright (``pip install playwright``) and a Chromium: Debian's, on the path
(``apt install chromium``), or the program that the variable CHROMIUM names.
"""

import base64
import io
import os
import shutil

import numpy as np
import pytest
from PIL import Image

from mmwsss.visualization.report import render_report
from mmwsss.visualization.report_images import THRESHOLDS

playwright = pytest.importorskip('playwright.sync_api')
CHROMIUM = os.environ.get('CHROMIUM') or shutil.which('chromium')
pytestmark = pytest.mark.skipif(not CHROMIUM, reason='there is no chromium')
EVIL = '</script><script>document.title = "evil"</script>'
CLASSES = ['background', EVIL, '"quoted" & \'single\'', 'Kühe 🐄']
COLORS = [[0, 0, 0], [200, 0, 0], [0, 200, 0], [0, 0, 200]]
NUM_IMAGES = 2000
WIDTH, HEIGHT = 16, 12


def encoded(pixels, kind):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind)
    return base64.b64encode(stream.getvalue()).decode()


def images(number):
    """Grey images: a seed whose scores grow to the right, a mask and its truth."""
    grey = encoded(np.full((HEIGHT, WIDTH, 3), 128, np.uint8), 'JPEG')
    level = np.tile(np.arange(WIDTH, dtype=np.uint8) * 3, (HEIGHT, 1))
    maps = {}
    for label in (1, 2, 3):
        flat = np.full((HEIGHT, WIDTH), label, np.uint8)
        half = np.where(np.arange(WIDTH) < WIDTH // 2, label, 0).astype(np.uint8)
        maps[label] = encoded(np.concatenate(
            [flat, level, np.tile(half, (HEIGHT, 1)), flat]), 'PNG')
    made = []
    for i in range(number):
        label = i % 3 + 1
        ious = [round(float(abs(t - i / number) * 100), 1) for t in THRESHOLDS]
        made.append(dict(
            id=f'{EVIL if i == 7 else "photo"} {i:04d}', tags=[label], shown=[label],
            size=[WIDTH, HEIGHT], jpeg=grey, maps=maps[label],
            iou=[ious, [float(i * 37 % 100)]],
            classes=[[0, 50.], [label, float(i * 61 % 100)]], scored=True,
            disagreement=float(i * 13 % 100)))
    return dict(
        title=EVIL, total=9 * number, classes=CLASSES, colors=COLORS,
        thresholds=THRESHOLDS, scored=True, images=made, columns=[
            dict(title='Seed', seed=True, own=10,
                 iou=[[t * 100, 50., None, 30.] for t in THRESHOLDS]),
            dict(title=EVIL, seed=False, own=None, iou=[[90., 80., 70., 60.]])])


@pytest.fixture(scope='module')
def browser():
    with playwright.sync_playwright() as runner:
        started = runner.chromium.launch(
            executable_path=CHROMIUM, args=['--no-sandbox', '--disable-gpu'])
        yield started
        started.close()


@pytest.fixture(scope='module')
def report(tmp_path_factory):
    path = tmp_path_factory.mktemp('report') / 'report.html'
    path.write_text(render_report(
        EVIL, [], images=[images(NUM_IMAGES)], curves={EVIL: '<svg></svg>'},
        checks=[dict(title=EVIL, status='failed', text=EVIL,
                     pictures=[np.zeros((4, 5, 3), np.uint8)])],
        files={EVIL: 'javascript:alert(1)'}), encoding='utf-8')
    return path.as_uri()


@pytest.fixture
def page(browser, report):
    """The report, opened; whatever the browser complains of fails the test."""
    page = browser.new_page()
    complaints = []
    page.on('console', lambda message: complaints.append(message.text))
    page.on('pageerror', lambda error: complaints.append(str(error)))
    page.on('request', lambda request: complaints.append(request.url)
            if not request.url.startswith(('file:', 'data:')) else None)
    page.goto(report)
    page.wait_for_selector('.image canvas')
    yield page
    assert not complaints
    assert page.title() == EVIL
    page.close()


def order(page):
    return page.eval_on_selector_all(
        '.image', 'nodes => nodes.map(node => Number(node.dataset.index))')


def colored(page, column):
    """Pixels of the first shown image that have a class's colour."""
    return page.evaluate('''column => {
      const canvas = document.querySelectorAll('.image .row')[0]
        .querySelectorAll('canvas')[column];
      const copy = document.createElement('canvas');
      Object.assign(copy, {width: canvas.width, height: canvas.height});
      const context = copy.getContext('2d', {willReadFrequently: true});
      context.drawImage(canvas, 0, 0);
      const {data} = context.getImageData(0, 0, copy.width, copy.height);
      let count = 0;
      for (let i = 0; i < data.length; i += 4) {
        count += Math.max(data[i], data[i+1], data[i+2])
          - Math.min(data[i], data[i+1], data[i+2]) > 60;
      }
      return count;
    }''', column)


def slide(page, level):
    page.eval_on_selector('.threshold', '''(node, level) => {
      node.value = level;
      node.dispatchEvent(new Event('input'));
      node.dispatchEvent(new Event('change'));
    }''', level)
    page.evaluate('new Promise(done => requestAnimationFrame(() => '
                  'requestAnimationFrame(done)))')


def test_images_are_drawn_when_they_come_into_view(page):
    assert len(order(page)) == NUM_IMAGES
    drawn = page.locator('.image canvas').count()
    assert 0 < drawn < 4 * 40
    page.eval_on_selector('.image:last-child', 'node => node.scrollIntoView()')
    page.wait_for_selector('.image:last-child canvas')
    page.wait_for_function('!document.querySelector(".image canvas") || '
                           '!document.querySelector(".image:first-child canvas")')
    assert page.locator('.image canvas').count() < 4 * 60


def test_the_slider_redraws_masks_and_numbers(page):
    page.select_option('.order', 'name')
    page.wait_for_selector('.image:first-child canvas')
    # Column x has level 3 x: foreground where that exceeds the slider's place.
    for level in (0, 10, 30, 48):
        slide(page, level)
        wide = sum(3 * x > level for x in range(WIDTH))
        assert colored(page, 1) == wide * HEIGHT
        assert page.inner_text('.level') == f'{THRESHOLDS[level]:.2f}'
        means = page.inner_text('.classes tbody tr:first-child').split('\t')
        expected = (THRESHOLDS[level] * 100 + 80) / 3
        assert means == ['mean', f'{expected:.1f}', '75.0']
        caption = page.inner_text('.image:first-child figure:nth-child(2) figcaption')
        assert caption == f'Seed {THRESHOLDS[level] * 100:.1f}'
    assert colored(page, 2) == HEIGHT * WIDTH // 2
    page.click('.own')
    page.evaluate('new Promise(done => requestAnimationFrame(() => '
                  'requestAnimationFrame(done)))')
    assert page.inner_text('.level') == 'own'
    assert colored(page, 1) == sum(3 * x > 10 for x in range(WIDTH)) * HEIGHT


def test_orders(page):
    data = images(NUM_IMAGES)['images']

    def key_of(name):
        page.select_option('.order', name)
        return [data[i] for i in order(page)]

    # The worst of the last column come first, to begin with.
    ious = [data[i]['iou'][1][0] for i in order(page)]
    assert ious == sorted(ious)
    ious = [image['iou'][1][0] for image in key_of('best1')]
    assert ious == sorted(ious, reverse=True)
    values = [image['disagreement'] for image in key_of('disagreement')]
    assert values == sorted(values, reverse=True)
    page.select_option('.order', 'worst0')
    slide(page, 20)
    values = [data[i]['iou'][0][20] for i in order(page)]
    assert values == sorted(values)
    page.select_option('.order', 'name')
    assert order(page) == list(range(NUM_IMAGES))


def test_filters(page):
    data = images(NUM_IMAGES)['images']
    page.select_option('.class', '2')
    chosen = order(page)
    assert len(chosen) == sum(2 in image['tags'] for image in data)
    values = [dict(data[i]['classes'])[2] for i in chosen]
    assert values == sorted(values)
    assert page.inner_text('.count') == (
        f'{len(chosen)} of {NUM_IMAGES} photos (of {9 * NUM_IMAGES}; '
        'masks first, evenly chosen, and numbers are of these)')
    page.select_option('.class', '')
    page.fill('.search', '012')
    assert sorted(order(page)) == sorted(
        i for i, image in enumerate(data) if '012' in image['id'])
    page.fill('.search', 'SCRIPT')
    assert order(page) == [7]
    page.wait_for_selector('.image canvas')
    assert EVIL in page.inner_text('.image .name')
    page.fill('.search', 'none such')
    assert order(page) == []


def test_a_phone_shows_it_without_scrolling_sideways(browser, report):
    page = browser.new_page(viewport=dict(width=375, height=700))
    page.goto(report)
    page.wait_for_selector('.image canvas')
    assert page.evaluate('document.documentElement.scrollWidth') <= 375
    page.close()


def test_names_are_text(page):
    assert page.locator('script').count() == 2
    assert page.inner_text('.class option:nth-child(2)') == EVIL
    link = page.locator('li a').get_attribute('href')
    assert link == 'javascript%3Aalert%281%29'
    assert page.inner_text('.check b') == EVIL
