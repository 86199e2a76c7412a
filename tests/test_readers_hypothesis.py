# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Readers over random input: what was written is read equal, and anything else
ends in an error that names the file.

    python -m pytest tests/test_readers_hypothesis.py                    # seconds
    MMWSSS_FUZZ=2200 python -m pytest tests/test_readers_hypothesis.py   # 50,000 cases

``MMWSSS_FUZZ`` is the number of cases of each test.
"""

import csv
import io
import json
import os
import tempfile
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import torch
from bad_files import coco, image, labels_npy, npz, pixels, saved
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tool_runner import load_tool

from mmwsss.apis import import_masks
from mmwsss.datasets.annotations import label_studio_file
from mmwsss.datasets.image_io import read_image, read_mask, voc_palette, write_mask
from mmwsss.recipes.process import format_seconds
from mmwsss.recipes.recipe import Step
from mmwsss.recipes.summary import key_numbers
from mmwsss.structures import Seed, read_label_names, save_label_table
from mmwsss.structures.seed import strided_size
from mmwsss.utils import (
    check_image_ids,
    read_class_names,
    read_id_list,
    read_json,
    with_background,
    write_json,
)
from mmwsss.utils.checkpoint import load_checkpoint_file, load_weights
from mmwsss.utils.config_options import check_options
from mmwsss.utils.digest import DigestCache, _stamp
from mmwsss.utils.ledger import Ledger

CASES = int(os.environ.get('MMWSSS_FUZZ', '15'))
fuzz = settings(
    max_examples=CASES, deadline=None, database=None, derandomize=CASES < 100,
    suppress_health_check=list(HealthCheck))
# A folder of its own: pytest's tmp_path is the same for all cases of a test.
# In memory where that is possible: each file is forced to disk.
HOLDER = tempfile.TemporaryDirectory(
    prefix='mmwsss_fuzz_', dir='/dev/shm' if os.access('/dev/shm', os.W_OK) else None)
FOLDER = Path(HOLDER.name)

NPY = load_tool('dataset_converters/npy_labels')
VOC = load_tool('dataset_converters/voc_labels')
SBD = load_tool('dataset_converters/sbd')
COCO = load_tool('dataset_converters/coco')
PSA = load_tool('model_converters/psa2mmwsss')


def put(name: str, content: bytes) -> str:
    path = FOLDER / name
    path.write_bytes(content)
    return str(path)


def read_or_refuse(read, path: str):
    """The value, or None where the reader refuses and names the file."""
    try:
        return read(path)
    except (ValueError, FileNotFoundError) as error:
        assert os.path.basename(path) in str(error), error
        return None


names = st.text(
    st.characters(codec='utf-8', categories=('L', 'N', 'P', 'S', 'Zs')),
    min_size=1, max_size=12)


def is_id(name: str) -> bool:
    try:
        check_image_ids([name], 'here')
    except ValueError:
        return False
    return os.path.splitext(name)[1].lower() not in (
        '.bmp', '.gif', '.jfif', '.jpe', '.jpeg', '.jpg', '.png', '.tif', '.tiff',
        '.webp')


def plain(name: str) -> str:
    return unicodedata.normalize('NFC', name).casefold()


ids = st.lists(
    st.one_of(names, st.builds('{}/{}'.format, names, names)).filter(is_id),
    min_size=1, max_size=6, unique_by=plain)
classes = st.lists(
    names.map(str.strip).filter(
        lambda name: name and name[0] != '#' and plain(name) != 'background'),
    min_size=1, max_size=6, unique_by=plain)


def mutated(content: bytes):
    """A valid file with some bytes changed, cut out or doubled."""

    @st.composite
    def change(draw):
        data = bytearray(content)
        for _ in range(draw(st.integers(1, 4))):
            at = draw(st.integers(0, max(len(data) - 1, 0)))
            kind = draw(st.sampled_from('bcdt'))
            if kind == 'b' and data:
                data[at] = draw(st.integers(0, 255))
            elif kind == 'c':
                del data[at:at + draw(st.integers(1, 20))]
            elif kind == 'd':
                data[at:at] = data[at:at + draw(st.integers(1, 20))]
            else:
                del data[at + 1:]
        return bytes(data)

    return change()


def any_file(*valid: bytes):
    return st.one_of(st.binary(max_size=200), *map(mutated, valid))


# What is written is read equal.


@fuzz
@given(ids, st.data())
def test_tables(image_ids, data):
    table = {image_id: data.draw(st.lists(names, max_size=3)) for image_id in image_ids}
    path = str(FOLDER / 't.json')
    save_label_table(path, table)
    read = read_label_names(path)
    assert read == table and list(read) == image_ids


@fuzz
@given(ids, classes, st.booleans(), st.booleans(), st.sampled_from(['\n', '\r\n']),
       st.sampled_from(['', '.jpg', '.PNG']), st.data())
def test_tables_by_spreadsheets(image_ids, tags, head, mark, end, suffix, data):
    """CSV with and without a header and a byte order mark, suffixes, CRLF."""
    table = {image_id: data.draw(st.lists(st.sampled_from(tags), max_size=3))
             for image_id in image_ids}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=end)
    if head:
        writer.writerow(['image', 'tags'])
    writer.writerows([image_id + suffix, *row] for image_id, row in table.items())
    content = ('\ufeff' if mark else '') + text.getvalue()
    read = read_or_refuse(read_label_names, put('t.csv', content.encode()))
    # A semicolon separates tags too, and a first row may look like a header.
    if any(';' in name for name in (*tags, *image_ids)) or read is None:
        return
    if not head and not suffix and len(read) == len(table) - 1:
        del table[image_ids[0]]
    assert read == table and list(read) == list(table)


@fuzz
@given(ids, st.booleans(), st.sampled_from(['\n', '\r\n', '\n\n', '\n# x\n', ' \n']))
def test_lists(image_ids, mark, end):
    content = ('\ufeff' if mark else '') + ''.join(name + end for name in image_ids)
    assert read_id_list(put('l.txt', content.encode())) == image_ids


@fuzz
@given(classes, st.booleans(), st.sampled_from([None, 'background', 'Background']))
def test_class_lists(wanted, mark, first):
    lines = ([first] if first else []) + wanted
    content = ('\ufeff' if mark else '') + '\n'.join(lines)
    read = read_class_names(put('c.txt', content.encode()))
    assert read == ['background', *wanted] == with_background(read)


@fuzz
@given(st.lists(st.text(max_size=8) | st.text('aA.-/:#_ ', max_size=6), max_size=6))
def test_ids_are_names_of_files(texts):
    """An accepted id stays below its folder and names one file."""
    try:
        check_image_ids(texts, 'here')
    except ValueError as error:
        assert 'here' in str(error)
        return
    for text in texts:
        path = os.path.normpath(os.path.join('/a/b', text + '.png'))
        assert path == f'/a/b/{text}.png'
    assert len({plain(text) for text in texts}) == len(texts)


@fuzz
@given(st.integers(1, 9), st.integers(1, 9), st.data())
def test_masks(height, width, data):
    values = data.draw(st.lists(st.integers(-2, 300), min_size=height * width,
                                max_size=height * width))
    mask = np.array(values).reshape(height, width)
    path = str(FOLDER / 'm.png')
    if mask.min() < 0 or mask.max() > 255:
        with pytest.raises(ValueError, match='m.png'):
            write_mask(path, mask, voc_palette(3))
        return
    write_mask(path, mask, voc_palette(3))
    assert (read_mask(path) == mask).all()


@fuzz
@given(st.integers(1, 30), st.integers(1, 30),
       st.lists(st.integers(1, 254), unique=True, max_size=4), st.booleans(),
       st.booleans(), st.integers(0, 99))
def test_seeds(height, width, labels, full, background, number):
    size = (height, width)
    shape = size if full else strided_size(size)
    random = np.random.default_rng(number)
    scores = random.random((len(labels), *shape)).astype(np.float16)
    ground = random.random(shape).astype(np.float16) if background else None
    path = str(FOLDER / 's.npz')
    Seed(scores, labels, size, ground).save(path)
    seed = Seed.load(path)
    assert (seed.scores.numpy() == scores).all() and seed.size == size
    assert seed.labels.tolist() == labels
    assert (seed.background is None) == (ground is None)
    assert ground is None or (seed.background.numpy() == ground).all()


plain_values = st.recursive(
    st.none() | st.booleans() | st.integers(-2**60, 2**60)
    | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=8)


@fuzz
@given(plain_values)
def test_json(value):
    path = str(FOLDER / 'j.json')
    try:
        write_json(path, value)
    except UnicodeEncodeError:
        return  # half a surrogate pair, which no file name or text of ours holds
    assert read_json(path) == value


@fuzz
@given(st.dictionaries(st.text(max_size=6), st.lists(
    st.floats(width=32, allow_nan=False), max_size=3), max_size=3), plain_values)
def test_checkpoints(weights, meta):
    state = {key: torch.tensor(row) for key, row in weights.items()}
    path = put('w.pth', saved(dict(state_dict=state, meta=dict(any=meta))))
    read = load_checkpoint_file(path)
    assert read['meta'] == dict(any=meta)
    assert list(read['state_dict']) == list(state)
    for key, value in load_weights(path).items():
        assert torch.equal(value, state[key])


@fuzz
@given(ids, st.data())
def test_label_arrays(image_ids, data):
    vectors = {image_id: np.array(data.draw(st.lists(
        st.sampled_from([0., 1.]), min_size=2, max_size=2)), np.float32)
        for image_id in image_ids}
    protocol = data.draw(st.sampled_from([2, 3, 4, 5]))
    path = put('l.npy', labels_npy(vectors, protocol))
    table = NPY.labels_to_names(
        NPY.load_cls_labels(path), ['background', 'cat', 'dog'], path)
    assert table == {
        image_id: [name for name, value in zip(('cat', 'dog'), vector, strict=True)
                   if value] for image_id, vector in vectors.items()}


@fuzz
@given(st.lists(st.sampled_from(['cat', 'dog', 'hand', ' cat ']), max_size=5))
def test_annotations(found):
    objects = ''.join(f'<object><name>{name}</name><part><name>x</name></part>'
                      '</object>' for name in found)
    path = put('a.xml', f'<annotation>{objects}</annotation>'.encode())
    wanted = {name.strip() for name in found}
    assert VOC.names_in_xml(path, ['background', 'cat', 'dog']) == [
        name for name in ('cat', 'dog') if name in wanted]


# Anything else is refused by name, and never takes another meaning.


@fuzz
@given(any_file(b'a,cat\nb.jpg,"dog;cow",x\n'))
def test_any_csv(content):
    table = read_or_refuse(read_label_names, put('t.csv', content))
    if table is not None:
        check_image_ids(table, 't')
        save_label_table(str(FOLDER / 'u.json'), table)
        assert read_label_names(str(FOLDER / 'u.json')) == table


@fuzz
@given(any_file(b'{"a": ["cat"], "b.jpg": ["dog", "cow"]}'))
def test_any_json_table(content):
    table = read_or_refuse(read_label_names, put('t.json', content))
    assert table is None or all(isinstance(name, str)
                                for row in table.values() for name in row)


@fuzz
@given(any_file('cat\ndog # x\n caf\u00e9\n'.encode()))
def test_any_list(content):
    path = put('l.txt', content)
    for read in (read_id_list, read_class_names, read_json):
        found = read_or_refuse(read, path)
        if read is read_id_list and found:
            again = put('m.txt', '\n'.join(found).encode())
            assert read_id_list(again) == found


@fuzz
@given(any_file(image(np.eye(5, dtype=np.uint8)), image(pixels(), 'JPEG'),
                image(pixels(), 'GIF'), image(pixels(), 'TIFF')))
def test_any_image(content):
    path = put('p.png', content)
    for read in (read_image, read_mask):
        found = read_or_refuse(read, path)
        assert found is None or found.dtype == np.uint8


@fuzz
@given(any_file(npz(), npz(background=np.ones((1, 2), np.float16))))
def test_any_seed(content):
    seed = read_or_refuse(Seed.load, put('s.npz', content))
    assert seed is None or (seed.scores >= 0).all()


@fuzz
@given(any_file(
    saved(dict(state_dict=dict(a=torch.ones(3)), meta=dict(epoch=1))),
    saved(dict(a=torch.ones(3)), _use_new_zipfile_serialization=False)))
def test_any_checkpoint(content):
    path = put('w.pth', content)
    for read in (load_checkpoint_file, load_weights):
        found = read_or_refuse(read, path)
        assert found is None or isinstance(found, dict)


@fuzz
@given(any_file(labels_npy({'a': np.ones(2, np.float32), 7: np.zeros(2)}),
                labels_npy({'a': np.ones(2, np.float32)}, 5)))
def test_any_label_array(content):
    def read(path):
        return NPY.labels_to_names(
            NPY.load_cls_labels(path), ['background', 'cat', 'dog'], path)

    table = read_or_refuse(read, put('l.npy', content))
    assert table is None or all(set(row) <= {'cat', 'dog'} for row in table.values())


@fuzz
@given(any_file(b'<annotation><object><name>cat</name></object></annotation>'))
def test_any_annotation(content):
    found = read_or_refuse(
        lambda path: VOC.names_in_xml(path, ['background', 'cat']),
        put('a.xml', content))
    assert found in (None, [], ['cat'])


@fuzz
@given(any_file(b'MATLAB 5.0 MAT-file'.ljust(124) + b'\x00\x01IM' + bytes(40)))
def test_any_matlab_file(content):
    assert read_or_refuse(SBD.read_annotation, put('a.mat', content)) is None


@fuzz
@given(any_file(b'\x12\x01' + bytes(30)))
def test_any_mxnet_file(content):
    found = read_or_refuse(PSA.read_mxnet, put('w.params', content))
    assert found is None or isinstance(found, dict)


@fuzz
@given(st.one_of(any_file(coco().encode()), st.builds(
    lambda **parts: coco(**parts).encode(), images=plain_values,
    annotations=plain_values)))
def test_any_instances(content):
    path = put('i.json', content)
    try:
        COCO._check_instances(path, read_json(path))
    except ValueError as error:
        assert 'i.json' in str(error)


def exports() -> dict[str, bytes]:
    """What is imported as masks: a whole file of each program."""
    brush = label_studio_file.encode_brush(np.eye(4, 6, dtype=bool))
    square = [[10, 10], [60, 10], [60, 60.5]]
    results = [
        dict(type='brushlabels', original_width=6, original_height=4,
             value=dict(format='rle', rle=brush, brushlabels=['cat'])),
        dict(type='polygonlabels', original_width=6, original_height=4,
             value=dict(points=square, polygonlabels=['cat']))]
    return {
        'coco': coco().encode(),
        'cvat': b'<annotations><image id="0" name="a.jpg" width="6" height="4">'
                b'<mask label="cat" left="1" top="1" width="2" height="2" rle="1, 3"/>'
                b'<polygon label="cat" points="0,0;3,0;3,3.5" z_order="1"/></image>'
                b'</annotations>',
        'label-studio': json.dumps([dict(
            data=dict(image='a.jpg'), annotations=[dict(result=results)])]).encode()}


EXPORTS = exports()


@pytest.mark.parametrize('kind', EXPORTS)
def test_any_export(kind):
    """Masks of another program: small masks of the class that there is."""
    suffix = 'xml' if kind == 'cvat' else 'json'

    def read(path):
        with tempfile.TemporaryDirectory(dir=FOLDER) as out:
            ids = import_masks(path, out, ['cat'], kind)
            return {name: read_mask(f'{out}/{name}.png') for name in ids}

    @fuzz
    @given(any_file(EXPORTS[kind]))
    def check(content):
        masks = read_or_refuse(read, put(f'e.{suffix}', content))
        assert masks is None or all(
            set(np.unique(mask)) <= {0, 1} for mask in masks.values())

    assert set(read(put(f'e.{suffix}', EXPORTS[kind]))) == {'a'}
    check()


MADE = dict(version='1', settings=dict(a=1, b=['x']), inputs={'{seeds}': 'f' * 64})
OUTPUTS = {'out': '0' * 64}


def ledger_file(**changes) -> bytes:
    record = dict(made_from=MADE, status='done', outputs=OUTPUTS,
                  metrics={'mIoU': 61.5, 'name': 'x'}, seconds=12.5)
    return json.dumps({**record, **changes}).encode()


@fuzz
@given(st.one_of(
    any_file(ledger_file()), st.builds(
        lambda key, value: ledger_file(**{key: value}),
        st.sampled_from(['made_from', 'status', 'outputs', 'metrics', 'seconds']),
        plain_values | st.floats() | st.integers(10**300, 10**400))))
def test_any_ledger(content):
    """A damaged ledger counts as none, and none is done but what was."""
    path = put('ledger.json', content)
    ledger = Ledger(path)
    assert not ledger.problem or path in ledger.problem
    digests = []

    def digest(name):
        digests.append(name)
        return OUTPUTS.get(name, 'missing')

    decision = ledger.decide(MADE, digest)
    if decision.action != 'run':
        assert ledger.record['made_from'] == MADE
    if decision.action == 'skip':
        assert ledger.record['status'] == 'done'
        assert all(ledger.record['outputs'][name] == OUTPUTS.get(name, 'missing')
                   for name in digests)
    if ledger.record:
        key_numbers(Step('s', 'train', {}), ledger.record)
        format_seconds(ledger.record['seconds'])
    ledger.begin(MADE, resume=decision.action == 'resume')
    ledger.finish(outputs=OUTPUTS)
    assert Ledger(path).decide(MADE, digest).action == 'skip'


def cached_digests() -> tuple[bytes, dict[str, str]]:
    """A cache of the digests of two files, and these by their paths."""
    folder = FOLDER / 'digested'
    folder.mkdir(exist_ok=True)
    paths = []
    for name in ('a', 'b'):
        (folder / name).write_text(name * 5)
        paths.append(str(folder / name))
    truth = {path: DigestCache()(path) for path in paths}
    known = {path: [*_stamp(path), digest] for path, digest in truth.items()}
    return json.dumps(known).encode(), truth


CACHE, TRUTH = cached_digests()


@fuzz
@given(st.one_of(any_file(CACHE), st.builds(
    lambda path, entry: json.dumps({**json.loads(CACHE), path: entry}).encode(),
    st.sampled_from(sorted(TRUTH)), plain_values)))
def test_any_digest_cache(content):
    """A damaged cache may cost a second reading; a file never passes for another."""
    cache = DigestCache(put('digests.json', content))
    for path, truth in TRUTH.items():
        digest = cache(path)
        assert len(digest) == 64
        assert digest == truth or digest not in TRUTH.values()
    cache.save()


@fuzz
@given(st.dictionaries(st.text('abc', min_size=1, max_size=3), st.binary(max_size=9),
                       max_size=4), st.data())
def test_digests_tell_folders_apart(files, data):
    """Equal for equal files, different for any other content or name."""
    other = dict(files)
    if files and data.draw(st.booleans()):
        other[data.draw(st.sampled_from(sorted(files)))] = data.draw(
            st.binary(max_size=9))
    else:
        other[data.draw(st.text('abcd', min_size=1, max_size=3))] = b''
    digests = []
    for content in (files, other):
        with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
            for name, value in content.items():
                (Path(folder) / name).write_bytes(value)
            digests.append(DigestCache()(folder))
    assert (digests[0] == digests[1]) == (files == other)


CONFIG = dict(
    model=dict(type='EncoderDecoder', backbone=dict(depth=18), heads=[dict(a=1), 2]),
    train_dataloader=dict(batch_size=4, dataset=dict(data_root='x')),
    randomness=dict(seed=1), default_hooks=dict(logger=dict(type='LoggerHook')))
parts = st.sampled_from([
    'model', 'backbone', 'heads', '0', '1', '2', 'a', 'depth', 'train_dataloader',
    'batch_size', 'batch_siz', 'seed', 'randomness', 'default_hooks', 'logger',
    'dataset', 'type', '', 'x', '_delete_'])


@fuzz
@given(st.dictionaries(st.lists(parts, min_size=1, max_size=4).map('.'.join),
                       plain_values, max_size=3))
def test_any_options(options):
    """Refused with the option's name, or merged as they are."""
    from mmengine.config import Config
    cfg = Config(json.loads(json.dumps(CONFIG)))
    try:
        check_options(cfg._cfg_dict, options, 'here')
    except ValueError as error:
        assert 'here' in str(error) and str(error).startswith('option ')
        return
    for key, value in options.items():
        if '_delete_' in key or isinstance(value, dict):
            continue
        cfg.merge_from_dict({key: value})
        found = cfg._cfg_dict
        for part in key.split('.'):
            found = found[int(part) if isinstance(found, list) else part]
        assert found == value or value != value
