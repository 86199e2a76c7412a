# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import json
import os
import pickle
import shutil
import subprocess
import sys

import numpy as np
import pytest
from bad_files import Trap
from PIL import Image
from tool_runner import load_tool, run_tool

from mmwsss.datasets.class_names import class_names
from mmwsss.datasets.image_io import read_mask
from mmwsss.structures import read_label_names
from mmwsss.utils import project_path, read_json


def load(name):
    return load_tool(f'dataset_converters/{name}')


def run(name, *args):
    return run_tool(f'dataset_converters/{name}', *args)


def test_runs_as_a_script(tmp_path):
    script = project_path('tools', 'dataset_converters', 'make_demo_data.py')
    root = os.path.dirname(os.path.dirname(os.path.dirname(script)))
    result = subprocess.run(
        [sys.executable, script, '--out', str(tmp_path / 'demo'),
         '--num-train', '2', '--num-val', '1', '--size', '40'],
        capture_output=True,
        text=True,
        env=dict(os.environ, PYTHONPATH=root))
    assert result.returncode == 0, result.stderr
    assert '2 scenes to train on and 1 to test on' in result.stdout
    assert len(list((tmp_path / 'demo' / 'JPEGImages').iterdir())) == 3


XML = """<annotation>
  <object><name>dog</name><difficult>1</difficult>
    <part><name>head</name></part></object>
  <object><name>person</name><truncated>1</truncated>
    <part><name>hand</name></part></object>
  <object><name> person </name></object>
</annotation>"""


class TestVOCLabels:

    @pytest.fixture
    def root(self, tmp_path):
        folder = tmp_path / 'Annotations'
        folder.mkdir()
        (folder / '2008_000001.xml').write_text(XML)
        (folder / '2008_000002.xml').write_text(
            '<annotation><object><name>cat</name></object></annotation>')
        (tmp_path / 'list.txt').write_text('2008_000001\n')
        return tmp_path

    def test_table(self, root):
        run('voc_labels', root)
        assert read_label_names(str(root / 'image_labels.json')) == {
            '2008_000001': ['dog', 'person'],
            '2008_000002': ['cat']
        }
        run('voc_labels', root, '--list', root / 'list.txt',
            '--out', root / 'some.json')
        assert list(read_label_names(str(root / 'some.json'))) == [
            '2008_000001'
        ]

    def test_errors(self, root):
        (root / 'list.txt').write_text('2008_000003\n')
        with pytest.raises(FileNotFoundError, match='2008_000003.xml'):
            run('voc_labels', root, '--list', root / 'list.txt')
        (root / 'Annotations' / '2008_000002.xml').write_text('<annotation>')
        with pytest.raises(ValueError, match='2008_000002.xml is not valid'):
            run('voc_labels', root)
        assert not (root / 'image_labels.json').exists()


class TestMaskLabels:

    def test_table(self, voc_root, tmp_path):
        run('mask_labels', voc_root / 'SegmentationClass',
            '--classes', 'demo', '--out', tmp_path / 'labels.json')
        made = read_label_names(str(tmp_path / 'labels.json'))
        assert made == read_label_names(str(voc_root / 'image_labels.json'))

    def test_rules(self, tmp_path):
        folder = tmp_path / 'masks' / 'sub'
        folder.mkdir(parents=True)
        ids = np.array([[0, 0, 255, 2], [1, 2, 2, 255]], np.uint8)
        Image.fromarray(ids).save(folder / 'a.png')
        (tmp_path / 'classes.txt').write_text('cat\ndog\n')
        args = ('mask_labels', tmp_path / 'masks', '--classes',
                tmp_path / 'classes.txt', '--out', tmp_path / 'o.json')
        run(*args)
        assert read_label_names(str(tmp_path / 'o.json')) == {
            'sub/a': ['cat', 'dog']
        }
        run(*args, '--min-pixels', 2)
        assert read_label_names(str(tmp_path / 'o.json')) == {
            'sub/a': ['dog']
        }
        Image.fromarray(ids + (ids == 2)).save(folder / 'a.png')
        with pytest.raises(ValueError, match='a.png holds class 3'):
            run(*args)


class TestNpyLabels:

    def labels(self, *classes):
        vector = np.zeros(20, np.float32)
        vector[list(classes)] = 1
        return vector

    @pytest.mark.parametrize('keys', [
        ('2007_000032', '2011_003276'),
        (2007000032, 2011003276),
        (np.int32(2007000032), np.int64(2011003276)),
    ])
    def test_table(self, tmp_path, keys):
        table = {keys[0]: self.labels(0, 14), keys[1]: self.labels(19)}
        np.save(tmp_path / 'cls_labels.npy', table)
        run('npy_labels', tmp_path / 'cls_labels.npy',
            '--classes', 'voc', '--out', tmp_path / 'o.json')
        assert read_label_names(str(tmp_path / 'o.json')) == {
            '2007_000032': ['aeroplane', 'person'],
            '2011_003276': ['tvmonitor']
        }

    @pytest.mark.parametrize('protocol', [2, 3, 4, 5])
    @pytest.mark.parametrize('module', [b'numpy.core', b'numpy._core'])
    def test_protocols_and_numpy_versions(self, tmp_path, protocol, module):
        tool = load('npy_labels')
        table = np.array({'2007_000032': self.labels(3)}, dtype=object)
        path = tmp_path / 'old.npy'
        np.save(path, table)
        header = path.read_bytes().split(b'\n', 1)[0] + b'\n'
        data = pickle.dumps(table, protocol=protocol)
        if protocol < 4:  # there, names are not prefixed by their length
            data = data.replace(b'numpy._core.', module + b'.')
        path.write_bytes(header + data)
        loaded = tool.load_cls_labels(str(path))
        assert np.array_equal(loaded['2007_000032'], self.labels(3))

    def test_malicious_pickle_does_not_run(self, tmp_path):
        """Deep in arrays, too; others are in tests/test_security.py."""
        marker = tmp_path / 'pwned'
        path = tmp_path / 'cls_labels.npy'
        bad = np.array([Trap(marker)], dtype=object)
        np.save(path, np.array({'2007_000032': bad}, dtype=object))
        with pytest.raises(ValueError, match='mkdir is not allowed'):
            load('npy_labels').load_cls_labels(str(path))
        assert not marker.exists()
        # The file is as dangerous as it is meant to be.
        np.load(path, allow_pickle=True)
        assert marker.exists()

    def test_builtins_are_refused(self, tmp_path):
        path = tmp_path / 'cls_labels.npy'
        np.save(path, np.array({'a': eval}, dtype=object))
        with pytest.raises(ValueError, match='eval is not allowed'):
            load('npy_labels').load_cls_labels(str(path))

    def test_wrong_length_and_duplicates(self):
        tool = load('npy_labels')
        with pytest.raises(ValueError, match="f.npy: image '9'.*80.*got 20"):
            tool.labels_to_names({9: self.labels(1)}, class_names('coco'),
                                 'f.npy')
        with pytest.raises(ValueError, match="f.npy: duplicate id '2007_0"):
            tool.labels_to_names({
                2007000032: self.labels(1),
                '2007_000032': self.labels(2)
            }, class_names('voc'), 'f.npy')


def box(x1, y1, x2, y2):
    return [[x1, y1, x2, y1, x2, y2, x1, y2]]


def coco_file(path):
    """Two overlapping boxes and a crowd; sparse category ids."""
    pytest.importorskip('pycocotools')
    crowd = np.zeros((20, 30), np.uint8)
    crowd[12:18, 2:28] = 1
    flat = crowd.T.ravel()  # COCO counts down the columns, zeros first
    ends = np.flatnonzero(np.diff(flat)) + 1
    counts = np.diff([0, *ends, flat.size]).tolist()
    annotations = [
        # A small horse (id 19), listed first, then a large cat over it.
        dict(id=1, image_id=7, category_id=19, area=36, iscrowd=0,
             segmentation=box(6, 4, 12, 10)),
        dict(id=2, image_id=7, category_id=17, area=200, iscrowd=0,
             segmentation=box(2, 2, 22, 12)),
        dict(id=3, image_id=7, category_id=90, area=156, iscrowd=1,
             segmentation=dict(counts=counts, size=[20, 30])),
        dict(id=4, image_id=5, category_id=90, area=4, iscrowd=1,
             segmentation=dict(counts=[0, 4, 96], size=[10, 10])),
    ]
    content = dict(
        images=[
            dict(id=7, file_name='COCO_x_000000000007.jpg', height=20,
                 width=30),
            dict(id=5, file_name='COCO_x_000000000005.jpg', height=10,
                 width=10),
            dict(id=3, file_name='COCO_x_000000000003.jpg', height=6,
                 width=8),
        ],
        annotations=annotations,
        categories=[
            dict(id=90, name='toothbrush'),
            dict(id=17, name='cat'),
            dict(id=19, name='horse')
        ])
    path.write_text(json.dumps(content))
    return str(path)


CAT, HORSE, BRUSH = 1, 2, 3  # contiguous, in the order of 17, 19, 90


def convert_coco(folder, *options):
    run('coco', coco_file(folder / 'i.json'), '--out', folder, '--split', 'x', *options)


class TestCOCO:

    def expected(self, recipe, crowd):
        """The first image's mask, drawn by hand."""
        mask = np.zeros((20, 30), np.uint8)
        brush = dict(include=BRUSH, ignore=255, skip=0)[crowd]
        if recipe == 'A':
            mask[4:10, 6:12] = HORSE
            mask[2:12, 2:22] = CAT  # later: it hides the horse
            if brush:
                mask[12:18, 2:28] = brush
        else:
            mask[2:12, 2:22] = CAT
            if brush:
                mask[12:18, 2:28] = brush
            mask[4:10, 6:12] = HORSE  # smallest: on top
        return mask

    @pytest.mark.parametrize('recipe, crowd', [
        ('A', None), ('B', None), ('A', 'include'), ('B', 'skip'),
        ('B', 'ignore')
    ])
    def test_recipes(self, tmp_path, recipe, crowd):
        args = [] if crowd is None else ['--crowd', crowd]
        convert_coco(tmp_path, '--recipe', recipe, *args)
        crowd = crowd or dict(A='skip', B='include')[recipe]
        folder = tmp_path / 'masks' / 'x'
        mask = read_mask(str(folder / 'COCO_x_000000000007.png'))
        assert np.array_equal(mask, self.expected(recipe, crowd))
        # An image without annotations is background.
        empty = read_mask(str(folder / 'COCO_x_000000000003.png'))
        assert empty.shape == (6, 8) and not empty.any()

        tags = ['cat', 'horse']
        with_crowd = crowd == 'include'
        stems = [f'COCO_x_{i:012d}' for i in (3, 5, 7)]
        assert read_label_names(str(tmp_path / 'labels_x.json')) == {
            stems[0]: [],
            stems[1]: ['toothbrush'] * with_crowd,
            stems[2]: tags + ['toothbrush'] * with_crowd
        }
        lists = tmp_path / 'lists'
        assert (lists / 'x.txt').read_text().split() == stems
        assert (lists / 'x_labeled.txt').read_text().split() == (
            stems[1:] if with_crowd else stems[2:])
        assert (tmp_path / 'classes.txt').read_text().split() == [
            'background', 'cat', 'horse', 'toothbrush'
        ]
        assert json.loads((tmp_path / 'masks' / 'x.json').read_text()) == dict(
            recipe=recipe, crowd=crowd, void=0)

    def test_labels_from_masks(self, tmp_path):
        convert_coco(tmp_path, '--recipe', 'A', '--labels', 'masks')
        table = read_label_names(str(tmp_path / 'labels_x.json'))
        # In recipe A the cat hides the horse.
        assert table['COCO_x_000000000007'] == ['cat']

    def test_equal_areas_and_holes(self):
        pytest.importorskip('pycocotools')
        tool = load('coco')
        annotations = [
            dict(category_id=c, area=16, segmentation=box(1, 1, 5, 5))
            for c in (4, 9)
        ]
        ids = {4: 1, 9: 2}
        by_area = tool.flatten_instances(annotations, ids, 8, 8, 'B')
        in_order = tool.flatten_instances(annotations, ids, 8, 8, 'A')
        assert set(np.unique(by_area)) == {0, 1}
        assert set(np.unique(in_order)) == {0, 2}
        parts = dict(
            category_id=4, area=8,
            segmentation=box(0, 0, 2, 2) + box(4, 4, 6, 6))
        mask = tool.flatten_instances([parts], ids, 8, 8)
        assert mask[:2, :2].all() and mask[4:6, 4:6].all()
        assert mask.sum() == 8

    def test_void_border(self):
        pytest.importorskip('pycocotools')
        annotation = dict(
            category_id=4, area=400, segmentation=box(10, 10, 30, 30))
        mask = load('coco').flatten_instances([annotation], {4: 1}, 40,
                                                   40, void=7)
        # Three pixels on either side of the border.
        expected = np.zeros((40, 40), np.uint8)
        expected[7:33, 7:33] = 255
        expected[13:27, 13:27] = 1
        assert np.array_equal(mask, expected)

    def test_resumes_and_refuses_to_mix(self, tmp_path):
        convert_coco(tmp_path, '--jobs', 2)
        folder = tmp_path / 'masks' / 'x'
        kept, lost = sorted(folder.iterdir())[1:]
        before, bytes_lost = kept.stat().st_mtime_ns, lost.read_bytes()
        lost.unlink()
        convert_coco(tmp_path)
        assert kept.stat().st_mtime_ns == before
        assert lost.read_bytes() == bytes_lost
        with pytest.raises(ValueError, match="'recipe': 'B'.*'recipe': 'A'"):
            convert_coco(tmp_path, '--recipe', 'A')

    def test_bad_files(self, tmp_path):
        path = tmp_path / 'i.json'
        good = json.loads(open(coco_file(path)).read())
        cases = [
            (dict(images=good['images']), 'annotations.*categories'),
            (dict(good, images=[]), 'unknown image_id: 7'),
            (dict(good, categories=good['categories'][1:]),
             'annotation 3 has an unknown category_id: 90'),
            (dict(good, images=[], annotations=[]), 'lists no image'),
        ]
        for content, message in cases:
            path.write_text(json.dumps(content))
            with pytest.raises(ValueError, match=message):
                run('coco', path, '--out', tmp_path / 'out', '--split', 'x')
        with pytest.raises(ValueError, match='odd width'):
            run('coco', path, '--out', tmp_path / 'out', '--split', 'x', '--void', 4)
        assert not (tmp_path / 'out').exists()

    def test_bad_annotation_names_the_image(self, tmp_path):
        path = tmp_path / 'i.json'
        content = json.loads(open(coco_file(path)).read())
        content['annotations'][1]['segmentation'] = [[1, 2]]
        path.write_text(json.dumps(content))
        with pytest.raises(ValueError, match='COCO_x_000000000007'):
            run('coco', path, '--out', tmp_path, '--split', 'x')


class TestSubset:

    def test_a_subset_of_itself(self, voc_root):
        before = {path: path.read_bytes()
                  for path in voc_root.rglob('*') if path.is_file()}
        with pytest.raises(ValueError, match='is the source, which would be replaced'):
            run('subset', voc_root, '--out', f'{voc_root}/', '--source-classes',
                'voc', '--classes', 'cat')
        assert before == {path: path.read_bytes()
                          for path in voc_root.rglob('*') if path.is_file()}

    def test_subset(self, voc_root, tmp_path):
        out = tmp_path / 'subset'
        run('subset', voc_root, '--out', out, '--source-classes',
            'demo', '--classes', 'moth', 'bee', 'ant')
        table = read_label_names(str(voc_root / 'image_labels.json'))
        new = read_label_names(str(out / 'image_labels.json'))
        keep = {'moth', 'bee', 'ant'}
        assert set(new) == {i for i in table if keep & set(table[i])}
        assert (out / 'classes.txt').read_text().split() == [
            'background', 'moth', 'bee', 'ant'
        ]
        names = class_names('demo')
        for image_id, tags in new.items():
            assert set(tags) == keep & set(table[image_id])
            name = f'{image_id}.jpg'
            assert (out / 'JPEGImages' / name).read_bytes() == (
                voc_root / 'JPEGImages' / name).read_bytes()
            path = f'SegmentationClass/{image_id}.png'
            old = read_mask(str(voc_root / path))
            mask = read_mask(str(out / path))
            for label, name in enumerate(names):
                fate = dict(background=0, moth=1, bee=2, ant=3).get(name, 255)
                assert np.all(mask[old == label] == fate)
        for split in ('train', 'val'):
            path = f'ImageSets/Segmentation/{split}.txt'
            assert (out / path).read_text().split() == [
                i for i in (voc_root / path).read_text().split() if i in new
            ]
        for split in ('train', 'val'):
            assert run(
                'check_dataset', out, '--classes', out / 'classes.txt', '--list',
                f'ImageSets/Segmentation/{split}.txt', '--masks',
                'SegmentationClass') == 0

    def test_ids_size_and_background(self, voc_root, tmp_path):
        out = tmp_path / 'small'
        table = read_label_names(str(voc_root / 'image_labels.json'))
        chosen, tags = next((i, t) for i, t in table.items() if len(t) > 1)
        (tmp_path / 'ids.txt').write_text(f'{chosen}\n')
        run('subset', voc_root, '--out', out, '--source-classes', 'demo', '--classes',
            tags[0], '--lists', chosen.split('_')[0], '--ids', tmp_path / 'ids.txt',
            '--others', 'background', '--long-side', 40)
        assert list(read_label_names(str(out / 'image_labels.json'))) == [
            chosen
        ]
        mask = read_mask(str(out / 'SegmentationClass' / f'{chosen}.png'))
        assert mask.shape == (40, 40) and set(np.unique(mask)) == {0, 1}
        image = Image.open(out / 'JPEGImages' / f'{chosen}.jpg')
        assert image.size == (40, 40)

    def test_errors(self, voc_root, tmp_path):
        args = ('subset', voc_root, '--out', tmp_path / 'o', '--source-classes', 'demo',
                '--classes')
        with pytest.raises(ValueError, match="unknown class 'cat'"):
            run(*args, 'cat', '--lists', 'train')
        tags = read_label_names(str(voc_root / 'image_labels.json'))
        (tmp_path / 'ids.txt').write_text('train_00000\n')
        with pytest.raises(ValueError, match='no image of .*val.txt'):
            run(*args, *tags['train_00000'], '--lists', 'train', 'val', '--ids',
                tmp_path / 'ids.txt')
        with pytest.raises(FileNotFoundError, match='none.txt'):
            run(*args, 'ant', '--lists', 'none')


class TestCheckDataset:

    def problems(self, root, *options):
        run('check_dataset', root, '--classes', 'demo', '--list',
            'ImageSets/Segmentation/train.txt', '--masks', 'SegmentationClass',
            '--out', root / 'checked.json', *options)
        return read_json(root / 'checked.json')['problems']

    def test_statistics(self, voc_root, tmp_path, capsys):
        code = run('check_dataset', voc_root, '--list',
                   'ImageSets/Segmentation/train.txt', '--classes', 'demo',
                   '--masks', 'SegmentationClass', '--out',
                   tmp_path / 'o.json')
        assert code == 0
        assert 'no problem found' in capsys.readouterr().out
        statistics = json.loads((tmp_path / 'o.json').read_text())
        table = read_label_names(str(voc_root / 'image_labels.json'))
        train = [t for i, t in table.items() if i.startswith('train')]
        assert statistics['images'] == statistics['images_with_mask'] == 8
        assert statistics['tags'] == sum(map(len, train))
        assert statistics['images_whose_mask_and_tags_differ'] == 0
        assert statistics['greatest_long_side'] == 64
        for name, count in statistics['images_by_class'].items():
            assert count == sum(name in tags for tags in train)
        for number, count in statistics['images_by_tags'].items():
            assert count == sum(len(tags) == int(number) for tags in train)

    def test_files_that_are_not_used(self, voc_root, tmp_path, capsys):
        root = shutil.copytree(voc_root, tmp_path / 'root')
        for name in ('a.heic', 'b.svg', '.c.png'):
            (root / 'JPEGImages' / name).write_bytes(b'')
        assert run('check_dataset', root, '--classes', 'demo', '--quick') == 0
        said = capsys.readouterr().out
        assert 'not used: a.heic (.heic)\n' in said
        assert 'not used: b.svg (.svg)\n' in said
        assert 'not used: .c.png (hidden)\n' in said
        assert 'files not used: 3\n' in said
        (root / 'SegmentationClass' / 'lost.png').write_bytes(b'')
        (root / 'SegmentationClass' / 'train_00000.npy').write_bytes(b'')
        (root / 'few.txt').write_text('train_00000\n')
        assert run('check_dataset', root, '--classes', 'demo', '--quick', '--masks',
                   'SegmentationClass', '--list', 'few.txt', '--out',
                   tmp_path / 'out.json') == 0
        said = capsys.readouterr().out
        assert 'not used: SegmentationClass/lost.png (mask of no image)\n' in said
        assert 'SegmentationClass/train_00000.npy (mask that is no .png)\n' in said
        assert 'files not used: 5\n' in said
        left = read_json(tmp_path / 'out.json')['images_not_in_list']
        assert 'train_00001' in left and 'train_00000' not in left
        assert f'images not in list: {len(left)} (train_00001, train_00002, ' in said
        with pytest.raises(FileNotFoundError, match='folder of masks .*none does not'):
            run('check_dataset', root, '--classes', 'demo', '--masks', 'none')

    def test_lists_every_problem(self, voc_root, tmp_path,
                                 capsys):
        root = shutil.copytree(voc_root, tmp_path / 'root')
        images, masks = root / 'JPEGImages', root / 'SegmentationClass'
        path = images / 'train_00000.jpg'
        path.write_bytes(path.read_bytes()[:1500])
        (images / 'train_00001.jpg').unlink()
        Image.fromarray(np.zeros((64, 60), np.uint8)).save(
            masks / 'train_00002.png')
        Image.fromarray(np.full((64, 64), 9, np.uint8)).save(
            masks / 'train_00003.png')
        (masks / 'train_00004.png').write_bytes(b'')
        (masks / 'train_00007.png').unlink()  # masks are optional
        table = read_label_names(str(root / 'image_labels.json'))
        table['train_00005'] = ['unicorn']
        table['train_00006'] = []
        del table['train_00007']
        (root / 'image_labels.json').write_text(json.dumps(table))
        code = run('check_dataset', root, '--list',
                   'ImageSets/Segmentation/train.txt', '--classes', 'demo',
                   '--masks', 'SegmentationClass', '--jobs', 2)
        assert code == 1
        text = capsys.readouterr().out
        problems = [line for line in text.splitlines() if 'PROBLEM' in line]
        assert len(problems) == 8
        for number, what in enumerate(
            ('truncated', 'no image in', 'is 60x64, expected 64x64',
             'holds class 9', 'empty', "unknown class 'unicorn'", 'no tags',
             'not listed')):
            assert any(
                f"'train_{number:05d}'" in line and what in line
                for line in problems), what
        assert 'images with mask: 6' in text

    def test_empty_allowed_and_quick(self, voc_root, tmp_path):
        root = shutil.copytree(voc_root, tmp_path / 'root')
        table = read_label_names(str(root / 'image_labels.json'))
        (root / 'image_labels.json').write_text(
            json.dumps(dict(table, train_00002=[])))
        (root / 'JPEGImages' / 'train_00000.jpg').write_bytes(b'')
        assert len(self.problems(root)) == 2
        assert len(self.problems(root, '--allow-empty')) == 1
        assert self.problems(root, '--allow-empty', '--quick') == []

    def synthetic_train_aug(self):
        """Tag lists with the published counts of VOC's train_aug."""
        tool = load('check_dataset')
        expected = tool.EXPECTED['voc12_train_aug']
        pool = dict(expected['images_by_class'])
        tags = []
        sizes = sorted(expected['images_by_tags'].items(), reverse=True)
        for size, images in sizes:
            for _ in range(images):
                # Always from the fullest classes, so that none is left over.
                names = sorted(pool, key=pool.get, reverse=True)[:size]
                for name in names:
                    pool[name] -= 1
                tags.append(names)
        return tool, expected, tags

    def test_published_counts(self):
        tool, expected, tags = self.synthetic_train_aug()
        classes = class_names('voc')
        statistics = tool.tag_statistics(tags, classes)
        assert statistics['images'] == 10582 and statistics['tags'] == 16458
        assert tool.compare(statistics, expected) == []

        swapped = next(i for i, t in enumerate(tags) if 'sofa' not in t)
        lost = tags[swapped][0]
        tags[swapped] = ['sofa', *tags[swapped][1:]]
        count = expected['images_by_class']
        assert set(tool.compare(
            tool.tag_statistics(tags, classes), expected)) == {
                f'images_by_class sofa: expected {count["sofa"]}, '
                f'got {count["sofa"] + 1}',
                f'images_by_class {lost}: expected {count[lost]}, '
                f'got {count[lost] - 1}'
            }
        tags.append([])
        problems = tool.compare(tool.tag_statistics(tags, classes), expected)
        assert 'images: expected 10582, got 10583' in problems
        assert 'images_by_tags 0: expected 0, got 1' in problems

    def test_expect_flag(self, voc_root, capsys):
        code = run('check_dataset', voc_root, '--list',
                   'ImageSets/Segmentation/train.txt', '--classes', 'demo',
                   '--quick', '--expect', 'voc12_val')
        assert code == 1
        assert ('PROBLEM voc12_val: images: expected 1449, got 8'
                in capsys.readouterr().out)
