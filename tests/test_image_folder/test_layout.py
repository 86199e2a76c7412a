# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import json
import os
from collections import Counter

import pytest

from mmwsss.image_folder import check_tags, find_layout, likely_name, split_images


def put(root, *names):
    """Empty files; what a layout is does not depend on their content."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def write_tags(root, tags, name='tags.csv'):
    rows = [f'{key},{";".join(names)}' for key, names in tags.items()]
    (root / name).write_text('\n'.join(['photo,tags', *rows]) + '\n')


def test_table_classes_and_masks(tmp_path):
    put(tmp_path, 'photos/walk/1.JPG', 'photos/2.png', 'photos/notes.txt',
        'masks/walk/1.png', 'masks/other.png', 'masks/2.tif')
    write_tags(tmp_path, {'walk/1.JPG': ['dog', 'cat'], '2': ['cat']})
    (tmp_path / 'classes.txt').write_text('cat\ndog\n')
    found = find_layout(str(tmp_path))
    assert found.tags == {'walk/1': ['dog', 'cat'], '2': ['cat']}
    assert found.classes == ['cat', 'dog']
    assert list(found.masks) == ['walk/1'], 'a mask without photo is no mask'
    assert {os.path.relpath(path, tmp_path): kind
            for path, kind in found.unused.items()} == {
        'photos/notes.txt': '.txt', 'masks/other.png': 'mask of no photo',
        'masks/2.tif': 'mask that is no .png'}
    said = '\n'.join(found.describe())
    assert '2 photos in photos' in said and 'tags of 2 of them, from tags.csv' in said
    assert '2 classes, from classes.txt: cat, dog' in said
    assert '1 masks in masks' in said and 'notes.txt' in said


def test_json_whose_ids_begin_at_the_whole_folder_or_are_names(tmp_path):
    put(tmp_path, 'images/a/1.jpg', 'images/b/2.jpg')
    (tmp_path / 'mine.json').write_text(
        json.dumps({'images/a/1.jpg': ['owl'], '2.jpg': ['fox'], 'gone': ['owl']}))
    found = find_layout(str(tmp_path))
    assert found.tags == {'a/1': ['owl'], 'b/2': ['fox']}
    assert found.lost == ['gone']
    assert found.classes == ['fox', 'owl'] and found.class_source == ''
    (tmp_path / 'second.csv').write_text('a,owl\n')
    with pytest.raises(ValueError, match='mine.json, second.csv: say by --tags'):
        find_layout(str(tmp_path))
    assert find_layout(str(tmp_path), tags=str(tmp_path / 'mine.json')).lost


@pytest.mark.parametrize('root', ['', 'photos/'])
def test_class_folders(tmp_path, root):
    put(tmp_path, f'{root}cat/1.jpg', f'{root}cat/more/2.jpg', f'{root}dog/1.jpg',
        'masks/cat/1.png', 'work_dirs/own/data/photos/cat/1.jpg')
    found = find_layout(str(tmp_path))
    assert found.tags == {'cat/1': ['cat'], 'cat/more/2': ['cat'], 'dog/1': ['dog']}
    assert found.classes == ['cat', 'dog']
    assert list(found.masks) == ['cat/1']


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='none'):
        find_layout(str(tmp_path / 'none'))
    with pytest.raises(ValueError, match='holds no photo'):
        find_layout(str(tmp_path))
    put(tmp_path, 'photos/1.jpg')
    with pytest.raises(ValueError, match='bring a table tags.csv'):
        find_layout(str(tmp_path))
    write_tags(tmp_path, {'x': ['cat']})
    with pytest.raises(ValueError, match="first row is of 'x', the first photo is '1'"):
        find_layout(str(tmp_path))
    write_tags(tmp_path, {'1': ['cat']})
    (tmp_path / 'val.txt').write_text('7\n')
    with pytest.raises(ValueError, match="val.txt: 1 ids are of no photo.*'7'"):
        find_layout(str(tmp_path))


def many(tmp_path, tags, masks=()):
    put(tmp_path, *(f'photos/{key}.jpg' for key in tags),
        *(f'masks/{key}.png' for key in masks))
    write_tags(tmp_path, tags)
    return find_layout(str(tmp_path))


def texts(found, check, stops=None):
    return [one.text for one in found
            if one.check == check and stops in (None, one.stops)]


def test_good_tags_pass(tmp_path):
    tags = {f'{i:03}': [['cat'], ['dog'], ['cat', 'dog'], ['cow']][i % 4]
            for i in range(120)}
    assert check_tags(many(tmp_path, tags)) == []


def test_a_class_in_nearly_every_image(tmp_path):
    tags = {f'{i:03}': ['person', 'cat' if i % 2 else 'dog'] for i in range(100)}
    tags['000'] = ['dog']
    found = check_tags(many(tmp_path, tags))
    said = texts(found, 'nearly all', True)
    assert "'person' is in 99 of 100 photos (99%)" in said[0]
    # Half of the images is no problem.
    assert not any("'cat'" in text for text in texts(found, 'nearly all'))


def test_too_few_and_none(tmp_path):
    tags = {f'{i:03}': ['cat' if i % 2 else 'dog'] for i in range(60)}
    tags.update(a=['owl'], b=['owl'])
    folder = many(tmp_path, tags)
    folder.classes.append('elk')
    stopping = texts(check_tags(folder), 'too few', True)
    assert any("'owl' is in 2 photos only" in text for text in stopping)
    assert any("no photo is tagged 'elk'" in text for text in stopping)
    assert len(stopping) == 2


def test_few_images_of_many_classes_are_one_note(tmp_path):
    tags = {f'{i:03}': [['cat'], ['dog'], ['cow']][i % 3] for i in range(20)}
    [said] = check_tags(many(tmp_path, tags))
    assert not said.stops and said.check == 'few photos'
    assert "few photos: 'cat' (7), 'cow' (6), 'dog' (7). Masks" in said.text


def test_classes_that_are_known_already(tmp_path):
    """CLIP has seen images without them: how many show one does not matter."""
    tags = {f'{i:03}': ['skin', 'hand'] for i in range(60)}
    tags.update(a=['skin', 'ring'])
    folder = many(tmp_path, tags)
    assert {one.check for one in check_tags(folder) if one.stops} == {
        'nearly all', 'together', 'too few'}
    said, = check_tags(folder, known_classes=True)
    assert not said.stops and "'ring' is in 1 photo only" in said.text
    # No image at all is none to segment.
    folder.classes.append('elk')
    first, _ = check_tags(folder, known_classes=True)
    assert first.stops and "no photo is tagged 'elk'" in first.text


def test_classes_that_come_together(tmp_path):
    tags = {f'{i:03}': [['bed', 'pillow'], ['sofa']][i % 2] for i in range(80)}
    found = check_tags(many(tmp_path, tags))
    assert texts(found, 'together', True) == [
        "'bed' and 'pillow' come together in 40 of the 40 photos that show either: "
        'tags cannot say which is which. Make them one class, or add photos of one '
        'without the other']
    # One always with the other, which is often alone: a note.
    for i in range(40):
        tags[f'x{i}'] = ['bed']
    found = check_tags(many(tmp_path, tags))
    assert texts(found, 'together', True) == []
    assert "every photo of 'pillow' (40) shows 'bed'" in texts(found, 'together')[0]


def test_misspelt_tags_once_a_tag(tmp_path):
    tags = {f'{i:03}': ['horse' if i % 2 else 'sheep'] for i in range(100)}
    tags.update(a=['hrose'], b=['hrose'], c=['Sheep '])
    folder = many(tmp_path, tags)
    found = texts(check_tags(folder), 'spelling', True)
    assert len(found) == 2
    assert "'hrose' (2 photos, first 'a') looks like 'horse'" in found[0]
    assert "'Sheep' (1 photo, first 'c') looks like 'sheep'" in found[1]
    (tmp_path / 'classes.txt').write_text('horse\nsheep\n')
    found = texts(check_tags(find_layout(str(tmp_path))), 'spelling', True)
    assert len(found) == 2
    assert "none of the classes; perhaps 'horse' is meant" in found[0]


@pytest.mark.parametrize('name, likely', [
    ('dgo', 'dog'), ('traffic_light', 'traffic light'), ('Cat', 'cat'), ('zebra', '')])
def test_likely_name(name, likely):
    assert likely_name(name, ['cat', 'dog', 'traffic light']) == likely


def test_images_without_tags_are_noted(tmp_path):
    tags = {f'{i:03}': ['cat' if i % 2 else 'dog'] for i in range(60)}
    put(tmp_path, 'photos/new.jpg')
    found = check_tags(many(tmp_path, {**tags, 'gone': ['cat']}))
    assert any("1 photo without tags, first 'new'" in text or 'gone' in text
               for text in texts(found, 'tags', False))
    assert not any(one.stops for one in found)


def test_images_in_train_and_val(tmp_path):
    tags = {f'{i:03}': ['cat' if i % 2 else 'dog'] for i in range(60)}
    folder = many(tmp_path, tags)
    found = check_tags(folder, dict(train=['000', '001'], val=['001'], test=['002']))
    assert "1 photo are in the lists of train and val, first '001'" in texts(
        found, 'split', True)[0]


class TestSplit:

    def tags(self, count=100):
        return {f'{i:03}': [['cat'], ['dog'], ['cat', 'cow']][i % 3]
                for i in range(count)}

    def test_parts_are_disjoint_and_whole(self, tmp_path):
        tags = self.tags()
        split = split_images(many(tmp_path, tags, masks=list(tags)))
        train, val, test = (set(split[name]) for name in ('train', 'val', 'test'))
        assert not train & val and not train & test and not val & test
        assert train | val | test == set(tags)
        assert len(val) == len(test) == 15
        # Each class keeps its share, about.
        for part in (val, test):
            counts = Counter(name for key in part for name in tags[key])
            assert counts['dog'] >= 3 and counts['cow'] >= 3

    def test_few_masks_do_not_train(self, tmp_path):
        tags = self.tags()
        masks = sorted(tags)[:20]
        split = split_images(many(tmp_path, tags, masks))
        assert sorted(split['val'] + split['test']) == masks
        assert len(split['val']) == 10

    def test_fewer_only_choose(self, tmp_path):
        tags = self.tags()
        split = split_images(many(tmp_path, tags, sorted(tags)[:5]))
        assert len(split['val']) == 5 and split['test'] == []

    @pytest.mark.parametrize('count, held', [
        (100, 0), (194, 0), (200, 20), (600, 60), (3000, 200)])
    def test_without_masks_tags_are_held_out(self, tmp_path, count, held):
        tags = self.tags(count)
        folder = many(tmp_path, tags)
        split = split_images(folder)
        assert len(split['val']) == held and split['test'] == []
        assert sorted(split['train'] + split['val']) == sorted(tags)
        shown = Counter(name for key in split['val'] for name in tags[key])
        assert not held or shown['dog'] >= held // 4
        # Nothing learns tags where CLIP places the classes.
        assert split_images(folder, hold_tags=False)['val'] == []

    def test_the_owners_val_without_masks(self, tmp_path):
        tags = self.tags(30)
        many(tmp_path, tags)
        (tmp_path / 'val.txt').write_text('001\n007\n')
        folder = find_layout(str(tmp_path))
        split = split_images(folder)
        assert split['val'] == ['001', '007'] and split['test'] == []
        assert len(split['train']) == 28
        assert len(split_images(folder, hold_tags=False)['train']) == 30

    def test_the_owners_lists(self, tmp_path):
        tags = self.tags(30)
        many(tmp_path, tags, sorted(tags))
        for name, ids in (('train', range(10)), ('val', range(10, 14)),
                          ('test', range(20, 25))):
            (tmp_path / f'{name}.txt').write_text(
                ''.join(f'{i:03}.jpg\n' for i in ids))
        split = split_images(find_layout(str(tmp_path)))
        assert split['train'] == [f'{i:03}' for i in range(10)]
        assert split['val'] == [f'{i:03}' for i in range(10, 14)]
        assert split['test'] == [f'{i:03}' for i in range(20, 25)]

    @pytest.mark.parametrize('masks, val', [(30, 4), (5, 1)])
    def test_the_owners_test_alone(self, tmp_path, masks, val):
        """Its masks choose nothing, and its images do not train."""
        tags = self.tags(30)
        many(tmp_path, tags, sorted(tags)[:masks])
        (tmp_path / 'test.txt').write_text('001\n002\n003\n004\n')
        split = split_images(find_layout(str(tmp_path)))
        assert not {*split['train']} & {'001', '002', '003', '004'}
        assert split['test'] == ['001', '002', '003', '004']
        assert len(split['val']) == val
        assert not {*split['val']} & {*split['test']}
        many(tmp_path / 'all', tags, ['001', '002', '003', '004'])
        (tmp_path / 'all' / 'test.txt').write_text('001\n002\n003\n004\n')
        split = split_images(find_layout(str(tmp_path / 'all')))
        assert sorted(split['val'] + split['test']) == ['001', '002', '003', '004']
        assert len(split['val']) == 2 and len(split['train']) == 26

    def test_the_same_each_time(self, tmp_path):
        tags = self.tags()
        folder = many(tmp_path, tags, list(tags))
        assert split_images(folder) == split_images(folder)
        assert split_images(folder, seed=1) != split_images(folder)

    def test_nothing_left(self, tmp_path):
        tags = self.tags(6)
        many(tmp_path, tags, list(tags))
        (tmp_path / 'val.txt').write_text('\n'.join(tags))
        (tmp_path / 'train.txt').write_text('\n'.join(tags))
        with pytest.raises(ValueError, match='no photo with tags is left'):
            split_images(find_layout(str(tmp_path)))
