# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Masks in other programs' formats, read back by readers that share no code."""

import json
import re
from xml.dom.minidom import parse

import numpy as np
import pytest
import yaml
from matplotlib.path import Path as Outline
from PIL import Image
from pycocotools.coco import COCO
from tool_runner import run_tool

from mmwsss.apis import export_masks, import_masks
from mmwsss.datasets.annotations import READERS, WRITERS
from mmwsss.datasets.annotations.label_studio_file import decode_brush, encode_brush
from mmwsss.datasets.annotations.shapes import (
    fill,
    from_run_lengths,
    outline,
    regions,
    run_lengths,
)

CLASSES = ['background', 'cat & "dog"', '<script>', 'Kühe, grün', 'rare']
TAGS = {'a': ['<script>'], 'walk/ö': ['cat & "dog"', 'Kühe, grün'], 'none': ['rare']}


def some_mask(seed, size):
    """Blocks with holes, touching corners, single pixels and lines."""
    random = np.random.default_rng(seed)
    mask = np.zeros(size, np.uint8)
    for _ in range(12):
        y, x = random.integers(0, size[0] - 4), random.integers(0, size[1] - 4)
        h, w = random.integers(1, 12, 2)
        mask[y:y + h, x:x + w] = random.integers(0, 4)
    mask[2:9, 2:9], mask[4:6, 4:7] = 1, 0
    mask[0, -1], mask[-1, -4:], mask[-3, -5] = 2, 3, 2
    return mask


@pytest.fixture
def data(tmp_path):
    """Three images, two of which have a mask."""
    masks = {'a': some_mask(0, (31, 40)), 'walk/ö': some_mask(1, (28, 23))}
    (tmp_path / 'photos/walk').mkdir(parents=True)
    (tmp_path / 'masks/walk').mkdir(parents=True)
    for name, mask in masks.items():
        suffix = 'jpg' if name == 'a' else 'png'
        Image.new('RGB', mask.shape[::-1]).save(tmp_path / f'photos/{name}.{suffix}')
        Image.fromarray(mask).save(tmp_path / f'masks/{name}.png')
    Image.new('RGB', (5, 4)).save(tmp_path / 'photos/none.png')
    return tmp_path, masks


def export(data, kind, **options):
    folder, masks = data
    count = export_masks(
        str(folder / 'masks'), str(folder / 'photos'), CLASSES, str(folder / 'out'),
        kind, tags=TAGS, **options)
    assert count == 2
    return folder / 'out', masks


def by_centres(points, size):
    """The pixels whose centre lies in a polygon."""
    y, x = np.mgrid[:size[0], :size[1]]
    # Just beside the centre, where no line that joins a hole passes.
    centres = np.stack([x.ravel(), y.ravel()], 1) + (0.513, 0.507)
    return Outline(points, closed=False).contains_points(centres).reshape(size)


def stems(entries, key):
    return {re.sub(r'\.(jpg|png)$', '', entry[key]): entry for entry in entries}


@pytest.mark.parametrize('polygons', [False, True])
def test_coco_read_by_pycocotools(data, polygons):
    out, masks = export(data, 'coco', polygons=polygons, tolerance=0)
    coco = COCO(str(out / 'annotations.json'))
    names = {entry['id']: entry['name'] for entry in coco.loadCats(coco.getCatIds())}
    assert names == dict(list(enumerate(CLASSES))[1:])
    images = stems(coco.imgs.values(), 'file_name')
    assert set(images) == set(masks)
    for name, mask in masks.items():
        read = np.zeros_like(mask)
        for entry in coco.loadAnns(coco.getAnnIds(images[name]['id'])):
            region = coco.annToMask(entry).astype(bool)
            assert not read[region].any()
            read[region] = entry['category_id']
            assert entry['area'] == region.sum()
            x, y, w, h = map(int, entry['bbox'])
            assert region[y:y + h, x:x + w].sum() == region.sum()
        np.testing.assert_array_equal(read, mask)


@pytest.mark.parametrize('polygons', [False, True])
def test_cvat_read_by_a_plain_reader(data, polygons):
    out, masks = export(data, 'cvat', polygons=polygons, tolerance=0)
    page = parse(str(out / 'annotations.xml'))
    labels = [node.getElementsByTagName('name')[0].firstChild.data
              for node in page.getElementsByTagName('label')]
    assert labels == CLASSES[1:]
    images = stems([dict(name=node.getAttribute('name'), node=node)
                    for node in page.getElementsByTagName('image')], 'name')
    for name, mask in masks.items():
        node = images[name]['node']
        assert [tag.getAttribute('label') for tag in node.getElementsByTagName('tag')
                ] == TAGS[name]
        read = np.zeros_like(mask)
        for shape in node.getElementsByTagName('polygon' if polygons else 'mask'):
            label = CLASSES.index(shape.getAttribute('label'))
            if polygons:
                points = [tuple(map(float, pair.split(',')))
                          for pair in shape.getAttribute('points').split(';')]
                read[by_centres(points, mask.shape)] = label
                continue
            left, top, width = (int(shape.getAttribute(key))
                                for key in ('left', 'top', 'width'))
            place, value = 0, 0
            for run in map(int, shape.getAttribute('rle').split(', ')):
                for _ in range(run):
                    if value:
                        read[top + place // width, left + place % width] = label
                    place += 1
                value = 1 - value
        np.testing.assert_array_equal(read, mask)


def plain_brush(packed, size):
    """Label Studio's brush, bit by bit."""
    bits = iter(''.join(f'{byte:08b}' for byte in packed))

    def number(count):
        return int(''.join(next(bits) for _ in range(count)), 2)

    count, word = number(32), number(5) + 1
    sizes = [number(4) + 1 for _ in range(4)]
    values = []
    while len(values) < count:
        if number(1):
            run = number(sizes[number(2)]) + 1
            values += [number(word)] * run
        else:
            run = number(sizes[number(2)]) + 1
            values += [number(word) for _ in range(run)]
    assert all(bit == '0' for bit in bits)
    return np.array(values).reshape(*size, 4)[..., 3] == 255


@pytest.mark.parametrize('polygons', [False, True])
def test_label_studio_read_by_a_plain_reader(data, polygons):
    out, masks = export(data, 'label-studio', polygons=polygons, tolerance=0)
    tasks = {task['data']['id']: task
             for task in json.loads((out / 'tasks.json').read_text())}
    assert tasks['a']['data']['image'] == '/data/local-files/?d=a.jpg'
    for name, mask in masks.items():
        prediction, = tasks[name]['predictions']
        read = np.zeros_like(mask)
        *shapes, choices = prediction['result']
        assert choices['value'] == dict(choices=TAGS[name])
        for shape in shapes:
            assert (shape['original_height'], shape['original_width']) == mask.shape
            value = shape['value']
            if polygons:
                points = np.array(value['points']) / 100 * mask.shape[::-1]
                region = by_centres(points, mask.shape)
                label, = value['polygonlabels']
            else:
                region = plain_brush(value['rle'], mask.shape)
                label, = value['brushlabels']
            read[region] = CLASSES.index(label)
        np.testing.assert_array_equal(read, mask)
    page = parse(str(out / 'label_config.xml'))
    assert [node.getAttribute('value') for node in page.getElementsByTagName('Choice')
            ] == CLASSES[1:]
    names = {node.getAttribute('name') for node in page.firstChild.childNodes}
    assert {shape['from_name'] for task in tasks.values()
            for shape in task['predictions'][0]['result']} <= names


def test_yolo_read_by_a_plain_reader(data):
    out, masks = export(data, 'yolo', tolerance=0, copy_images=True)
    names = yaml.safe_load((out / 'data.yaml').read_text(encoding='utf-8'))['names']
    assert names == dict(enumerate(CLASSES[1:]))
    for name, mask in masks.items():
        assert list((out / 'images/train').glob(f'{name}.*'))
        read = np.zeros_like(mask)
        for line in (out / f'labels/train/{name}.txt').read_text().splitlines():
            label, *values = line.split()
            points = np.array(values, float).reshape(-1, 2) * mask.shape[::-1]
            read[by_centres(points, mask.shape)] = int(label) + 1
        np.testing.assert_array_equal(read, mask)


def test_voc_read_by_a_plain_reader(data):
    folder, masks = data
    masks['a'][5, 20] = 255
    Image.fromarray(masks['a']).save(folder / 'masks/a.png')
    out, _ = export(data, 'voc', copy_images=True)
    listed = (out / 'ImageSets/Segmentation/train.txt').read_text().split()
    assert listed == ['a', 'walk/ö']
    colors = {}
    for line in (out / 'labelmap.txt').read_text(encoding='utf-8').splitlines()[1:]:
        name, color, _, _ = line.split(':')
        colors[tuple(map(int, color.split(',')))] = CLASSES.index(name)
    colors[224, 224, 192] = 255
    for name, mask in masks.items():
        assert list((out / 'JPEGImages').glob(f'{name}.*'))
        with Image.open(out / f'SegmentationClass/{name}.png') as image:
            np.testing.assert_array_equal(np.asarray(image), mask)
            pixels = np.asarray(image.convert('RGB'))
        read = [[colors[tuple(pixel)] for pixel in row] for row in pixels.tolist()]
        np.testing.assert_array_equal(read, mask)
        page = parse(str(out / f'Annotations/{name}.xml'))
        found = {node.getElementsByTagName('name')[0].firstChild.data
                 for node in page.getElementsByTagName('object')}
        assert found == {CLASSES[i] for i in np.unique(mask) if i not in (0, 255)}


@pytest.mark.parametrize('polygons', [False, True])
@pytest.mark.parametrize('kind', WRITERS)
def test_what_was_written_comes_back_and_joins_the_others(data, kind, polygons):
    out, masks = export(data, kind, polygons=polygons, tolerance=0)
    folder, _ = data
    Image.new('L', (5, 4), 3).save(folder / 'masks/none.png')
    Image.new('L', (40, 31), 2).save(folder / 'masks/a.png')
    ids = import_masks(str(out), str(folder / 'back'), CLASSES[1:], kind,
                       images=str(folder / 'photos'), base=str(folder / 'masks'))
    assert sorted(ids) == ['a', 'walk/ö']
    for name, mask in masks.items():
        with Image.open(folder / f'back/{name}.png') as image:
            np.testing.assert_array_equal(np.asarray(image), mask)
    with Image.open(folder / 'back/none.png') as image:
        assert np.asarray(image).tolist() == [[3] * 5] * 4


def test_what_was_corrected_in_label_studio_counts(data):
    out, masks = export(data, 'label-studio')
    folder, _ = data
    tasks = json.loads((out / 'tasks.json').read_text())
    drawn = np.zeros((31, 40), bool)
    drawn[3:7, 5:30] = True
    common = dict(original_width=40, original_height=31)
    tasks[0]['annotations'] = [
        dict(result=[
            dict(common, type='brushlabels',
                 value=dict(rle=encode_brush(drawn), brushlabels=['rare'])),
            dict(type='choices', value=dict(choices=['rare'])),
            dict(common, type='polygonlabels', value=dict(
                points=[[0, 0], [100, 0], [100, 200 / 31], [0, 200 / 31]],
                polygonlabels=['<script>']))]),
        dict(was_cancelled=True, result=[])]
    del tasks[0]['data']['id']
    del tasks[1]['predictions']
    (folder / 'export.json').write_text(json.dumps(tasks))
    assert import_masks(str(folder / 'export.json'), str(folder / 'back'), CLASSES,
                        'label-studio') == ['a']
    expected = np.where(drawn, 4, 0)
    expected[:2] = 2
    with Image.open(folder / 'back/a.png') as image:
        np.testing.assert_array_equal(np.asarray(image), expected)


def test_a_brush_of_raw_values():
    """Label Studio's own packing has runs and single values."""
    size = 1, 2
    bits = f'{8:032b}{7:05b}' + '0010' '0011' '0111' '1111'
    bits += '0' + '00' + f'{3:03b}' + ''.join(f'{v:08b}' for v in (9, 9, 9, 200))
    bits += '1' + '01' + f'{3:04b}' + f'{0:08b}'
    bits += '0' * (-len(bits) % 8)
    packed = [int(bits[i:i + 8], 2) for i in range(0, len(bits), 8)]
    assert decode_brush(packed, size).tolist() == [[True, False]]
    with pytest.raises(ValueError, match='cut off'):
        decode_brush(packed[:9], size)
    with pytest.raises(ValueError, match='8 values, expected 4 a pixel of 3 x 2'):
        decode_brush(packed, (2, 3))


@pytest.mark.parametrize('seed', range(6))
def test_outlines_are_exact(seed):
    mask = (np.random.default_rng(seed).random((19, 23)) > .45).astype(np.uint8)
    back = np.zeros(mask.shape, bool)
    for _, region in regions(mask):
        points = outline(region)
        np.testing.assert_array_equal(by_centres(points, mask.shape), region)
        np.testing.assert_array_equal(fill([points.flatten()], mask.shape), region)
        assert np.array_equal(from_run_lengths(
            run_lengths(region.ravel()), region.size).reshape(mask.shape), region)
        back |= region
    np.testing.assert_array_equal(back, mask > 0)


def test_tolerance_makes_outlines_short():
    y, x = np.mgrid[:80, :80]
    disc = (y - 40) ** 2 + (x - 40) ** 2 < 900
    exact, rough = outline(disc), outline(disc, 1)
    assert len(rough) < len(exact) / 3
    filled = fill([rough.flatten()], disc.shape)
    assert (filled & disc).sum() / (filled | disc).sum() > 0.95


def test_small_regions_are_left_out():
    mask = np.zeros((5, 5), np.uint8)
    mask[0, 0], mask[2:4, 2:4] = 1, 1
    assert [region.sum() for _, region in regions(mask, 2)] == [4]


def test_wrong_files_are_named(data):
    folder, _ = data
    images, masks = str(folder / 'photos'), str(folder / 'masks')

    def wrong(match, kind, content, **options):
        (folder / 'file').write_text(content)
        with pytest.raises(ValueError, match=match):
            import_masks(str(folder / 'file'), str(folder / 'o'), CLASSES, kind,
                         **options)

    wrong('file is not valid JSON', 'coco', '{')
    wrong('file declares entities', 'cvat', '<!DOCTYPE a [<!ENTITY b "c">]><a/>')
    wrong('file is no whole XML', 'cvat', '<a>')
    wrong("file: unknown class 'horse', expected one of", 'cvat',
          '<a><image name="a" width="4" height="4"><polygon label="horse" '
          'points="0,0;3,0;3,3"/></image></a>')
    wrong('file: a mask leaves its image', 'cvat',
          '<a><image name="a" width="4" height="4"><mask label="rare" rle="0,8" '
          'left="3" top="0" width="2" height="4"/></image></a>')
    wrong('file: runs of 7 pixels, expected 8', 'cvat',
          '<a><image name="a" width="4" height="4"><mask label="rare" rle="0,7" '
          'left="0" top="0" width="2" height="4"/></image></a>')
    wrong(r"'\.\./a' has an empty part", 'cvat',
          '<a><image name="../a.png" width="4" height="4"/></a>')
    wrong("duplicate|two masks of image 'a'", 'cvat',
          '<a><image name="a.png" width="4" height="4"/>'
          '<image name="a.png" width="4" height="4"/></a>')
    wrong('file: an image of 99999 x 99999 pixels', 'cvat',
          '<a><image name="a.png" width="99999" height="99999"/></a>')
    wrong('task 1: it is no task', 'label-studio', '[{}]')
    wrong('no list of tasks', 'label-studio', '{}')
    wrong('holds no masks', 'label-studio', '[]')
    wrong('need the folder of photos', 'yolo', '')
    with pytest.raises(ValueError, match='format must be one of'):
        import_masks(str(folder), str(folder / 'o'), CLASSES, 'pascal')
    with pytest.raises(ValueError, match='format must be one of'):
        export_masks(masks, images, CLASSES, str(folder / 'o'), 'pascal')
    with pytest.raises(ValueError, match=r'masks/a\.png holds class 3, expected'):
        export_masks(masks, images, CLASSES[:3], str(folder / 'o'))
    Image.new('RGB', (9, 9)).save(folder / 'photos/a.jpg')
    with pytest.raises(ValueError, match=r'a\.png has the size \(31, 40\), its photo'):
        export_masks(masks, images, CLASSES, str(folder / 'o'))
    with pytest.raises(FileNotFoundError, match='nowhere'):
        export_masks(str(folder / 'nowhere'), images, CLASSES, str(folder / 'o'))
    (folder / 'empty').mkdir()
    with pytest.raises(ValueError, match='no photo of .* has a mask'):
        export_masks(str(folder / 'empty'), images, CLASSES, str(folder / 'o'))


def test_the_tools(data, capsys):
    folder, masks = data
    (folder / 'classes.txt').write_text('\n'.join(CLASSES), encoding='utf-8')
    (folder / 'tags.json').write_text(json.dumps(TAGS))
    common = ['--classes', folder / 'classes.txt', '--format', 'cvat']
    run_tool('dataset_converters/export_masks', folder / 'masks', '--photos',
             folder / 'photos', '--out', folder / 'out', '--tags',
             folder / 'tags.json', *common)
    assert '2 photo(s) written' in capsys.readouterr().out
    run_tool('dataset_converters/import_masks', folder / 'out', '--out',
             folder / 'back', *common)
    assert '2 mask(s)' in capsys.readouterr().out
    with Image.open(folder / 'back/walk/ö.png') as image:
        np.testing.assert_array_equal(np.asarray(image), masks['walk/ö'])
    assert set(READERS) == set(WRITERS)
