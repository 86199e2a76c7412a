# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Hostile data: nothing runs, nothing is read or written elsewhere.

Hostile checkpoints are in tests/test_engine/test_safe_loading.py, pickles in
``cls_labels.npy`` in tests/test_tools/test_dataset_converters.py, ids that leave
their folder in tests/test_utils/test_lists.py.
"""

import io
import os
import pickle
import resource
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import torch
import yaml
from bad_files import Trap, bomb, coco, header, image, labels_npy, npz, pixels
from PIL import Image
from scipy.io import savemat
from scipy.sparse import csc_matrix
from tool_runner import load_tool
from tool_runner import run_tool as run_script

from mmwsss.apis import import_masks
from mmwsss.datasets.folder import find_images
from mmwsss.datasets.image_io import FORMATS, read_image, read_mask
from mmwsss.structures import Seed, read_label_names
from mmwsss.utils import atomic_write, read_json
from mmwsss.utils.checkpoint import load_checkpoint_file, load_weights
from mmwsss.utils.entry_point import run_tool
from mmwsss.visualization.report import render_report
from mmwsss.visualization.report_rows import Cell, Row, Section

XSS = '"><script>alert(1)</script><img src=x onerror=alert(2)>'


@pytest.fixture
def little_memory():
    """At most 1 GB more than now: a bomb that unpacks fails the test."""
    with open('/proc/self/statm', encoding='ascii') as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + (1 << 30), limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, limits)


def write(path, content):
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


@pytest.mark.parametrize('name', ['scores', 'labels', 'size', 'background'])
def test_a_pickle_in_seeds(name, tmp_path):
    trap = np.array([Trap(tmp_path / 'ran')], dtype=object)
    path = write(tmp_path / 's.npz', npz(**{name: trap}))
    with pytest.raises(ValueError, match=f's.npz is not a seed file: {name} holds obj'):
        Seed.load(path)
    assert not (tmp_path / 'ran').exists()


@pytest.mark.parametrize('wrap', [
    lambda trap: trap, lambda trap: {'a': trap},
    lambda trap: {trap: np.ones(2)}])
def test_a_pickle_in_label_arrays(wrap, tmp_path):
    npy = load_tool('dataset_converters/npy_labels')
    path = write(tmp_path / 'l.npy', labels_npy(wrap(Trap(tmp_path / 'ran'))))
    with pytest.raises(ValueError, match='l.npy'):
        npy.load_cls_labels(path)
    assert not (tmp_path / 'ran').exists()


def test_a_pickle_for_converters(tmp_path):
    """Those of published weights read as strictly as training does."""
    file = io.BytesIO()
    torch.save(dict(state_dict=Trap(tmp_path / 'ran')), file)
    for content in (file.getvalue(), pickle.dumps(Trap(tmp_path / 'ran'))):
        with pytest.raises(ValueError, match='w.pth'):
            load_weights(write(tmp_path / 'w.pth', content))
    assert not (tmp_path / 'ran').exists()


@pytest.mark.parametrize('shape', [(254, 10**5, 10**5), (1, 2**40), (2**62, 4)])
def test_seeds_that_claim_to_be_large(shape, tmp_path, little_memory):
    path = write(tmp_path / 's.npz', npz(scores=header(shape)))
    with pytest.raises(ValueError, match='s.npz is not .*has more than'):
        Seed.load(path)


def test_seeds_that_unpack_to_much(tmp_path, little_memory):
    """An array that claims 6 GB and has 6 MB, packed into some kB."""
    content = zipfile.ZipFile(tmp_path / 's.npz', 'w', zipfile.ZIP_DEFLATED)
    with content, content.open('scores.npy', 'w', force_zip64=True) as file:
        file.write(header((3000, 10**6)))
        for _ in range(6):
            file.write(bytes(10**6))
    with zipfile.ZipFile(tmp_path / 's.npz') as archive:
        entry = archive.getinfo('scores.npy')
        assert entry.compress_size < 10**5
    with pytest.raises(ValueError, match='s.npz is not a seed file'):
        Seed.load(str(tmp_path / 's.npz'))


def test_images_that_unpack_to_much(tmp_path, little_memory):
    path = write(tmp_path / 'p.png', bomb(60_000, 50_000))
    assert os.path.getsize(path) < 10_000
    for read in (read_image, read_mask):
        with pytest.raises(ValueError, match='p.png: 60000x50000 .*max_pixels'):
            read(path)


def test_images_start_no_program(tmp_path, monkeypatch):
    """Pillow hands EPS to Ghostscript, whatever the file is called."""
    started = []
    monkeypatch.setattr(subprocess, 'Popen', lambda *args, **_: started.append(args))
    eps = (b'%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n'
           b'(%pipe%id > ran) (w) file\nshowpage\n%%EOF\n')
    for name in ('p.jpg', 'p.png'):
        with pytest.raises(ValueError, match=f'{name}: it is none of BMP'):
            read_image(write(tmp_path / name, eps))
    assert not started
    assert not {'EPS', 'PDF', 'WMF', 'FITS', 'PSD'}.intersection(FORMATS)


@pytest.mark.parametrize('kind', FORMATS)
def test_formats_are_known(kind, tmp_path):
    """Images may be of any of them, whatever their suffix."""
    path = write(tmp_path / 'p.jpg', image(pixels(16, 16), kind))
    assert read_image(path).shape == (16, 16, 3)


LAUGHS = '<!DOCTYPE a [<!ENTITY a "cat">' + ''.join(
    f'<!ENTITY {name} "{10 * f"&{before};"}">'
    for before, name in zip('abcdefgh', 'bcdefghi', strict=True)) + (
        ']><annotation><object><name>&i;</name></object></annotation>')


@pytest.mark.parametrize('text', [
    LAUGHS,
    '<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]><a><name>&a;</name></a>',
    '<!DOCTYPE a SYSTEM "http://localhost/a.dtd"><a><name>cat</name></a>',
    '<!DOCTYPE a [<!ENTITY % p SYSTEM "http://localhost/x">%p;]><a/>',
    LAUGHS.encode('utf-16'),
])
def test_entities(text, tmp_path, little_memory):
    voc = load_tool('dataset_converters/voc_labels')
    path = write(tmp_path / 'a.xml', text)
    with pytest.raises(ValueError, match='a.xml: an annotation has no <!DOCTYPE>'):
        voc.names_in_xml(path, ['background', 'cat'])


@pytest.mark.parametrize('text', [
    'names: [' + '[' * 10**5,
    # Some letters that stand for 10^9 names.
    'a: &a [cat]\n' + ''.join(
        f'{name}: &{name} [{", ".join([f"*{before}"] * 10)}]\n'
        for before, name in zip('abcdefghi', 'bcdefghij', strict=True))
    + 'names: *j\n',
    'names: !!python/object/apply:os.mkdir [ran]'])
def test_yaml_of_yolo(text, tmp_path, little_memory, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / 'data.yaml', text)
    with pytest.raises(ValueError, match='data.yaml: it names (no )?classes'):
        import_masks(str(tmp_path), str(tmp_path / 'out'), ['cat'], 'yolo',
                     images=str(tmp_path))
    assert [item.name for item in tmp_path.iterdir()] == ['data.yaml']


def test_lines_that_never_end(tmp_path, little_memory):
    """A polygon whose outline would take many GB."""
    content = coco(annotations=[dict(
        id=1, image_id=1, category_id=3, area=4,
        segmentation=[[0, 0, 4e8, 4e8, 0, 4e8]])])
    path = write(tmp_path / 'i.json', content)
    with pytest.raises(ValueError, match='i.json: .*beyond 1000000 pixels'):
        import_masks(path, str(tmp_path / 'out'), ['cat'], 'coco')


def test_deep_annotations(tmp_path):
    voc = load_tool('dataset_converters/voc_labels')
    depth = 200_000
    path = write(tmp_path / 'a.xml', '<a>' * depth + '<name>cat</name>'
                 + '</a>' * depth)
    assert voc.names_in_xml(path, ['background', 'cat']) == ['cat']


@pytest.mark.parametrize('text', ['[' * 10**6, '{"a":' * 10**5, '[' * 10**5 + ']'
                                  * 10**5])
def test_deep_json(text, tmp_path):
    for read in (read_json, read_label_names):
        with pytest.raises(ValueError, match='a.json'):
            read(write(tmp_path / 'a.json', text))
    with pytest.raises(ValueError, match='a.json'):
        run_script('dataset_converters/coco', tmp_path / 'a.json', '--out', tmp_path,
                   '--split', 'x')


def test_matlab_files_that_unpack_to_much(tmp_path, little_memory):
    """A sparse matrix of 10^12 empty cells."""
    fields = np.zeros((1, 1), dtype=[('Segmentation', 'O'), ('Boundaries', 'O')])
    fields['Segmentation'][0, 0] = np.ones((4, 6), np.uint8)
    cells = np.zeros((1, 1), dtype=object)
    cells[0, 0] = csc_matrix((10**6, 10**6), dtype=np.uint8)
    fields['Boundaries'][0, 0] = cells
    savemat(tmp_path / 'a.mat', dict(GTcls=fields))
    sbd = load_tool('dataset_converters/sbd')
    with pytest.raises(ValueError, match='a.mat is not an annotation of SBD'):
        sbd.read_annotation(str(tmp_path / 'a.mat'))


def test_names_in_coco_stay_below(tmp_path):
    for name in ('../../evil.jpg', '/tmp/evil.jpg', 'a/../../evil.jpg'):
        path = write(tmp_path / 'i.json', coco(images=[
            dict(id=1, file_name=name, height=4, width=6)]))
        with pytest.raises(ValueError, match='i.json: image id'):
            run_script('dataset_converters/coco', path, '--out', tmp_path / 'out',
                       '--split', 'x')
    assert [item.name for item in tmp_path.iterdir()] == ['i.json']


def test_links_are_read_and_never_written_through(tmp_path):
    """A link in a data folder shows what its owner may read anyway; a link where
    a result goes is replaced, and what it names is left alone."""
    outside, inside = tmp_path / 'outside', tmp_path / 'photos'
    outside.mkdir()
    inside.mkdir()
    write(outside / 'a.png', image(pixels()))
    (inside / 'far').symlink_to(outside)
    (inside / 'loop').symlink_to(inside)
    (inside / 'dead.png').symlink_to(tmp_path / 'none')
    assert set(find_images(str(inside))) == {'far/a'}

    target = tmp_path / 'precious'
    target.write_text('precious')
    (tmp_path / 'result').symlink_to(target)
    with atomic_write(str(tmp_path / 'result')) as file:
        file.write(b'new')
    assert target.read_text() == 'precious'
    assert not (tmp_path / 'result').is_symlink()


@pytest.mark.parametrize('tool, suffix', [
    *(('train', suffix) for suffix in ('yaml', 'yml', 'json', 'txt', '')),
    *((tool, 'yaml') for tool in (
        'test', 'generate_seeds', 'refine_seeds', 'evaluate_seeds', 'pipeline'))])
def test_a_config_of_yaml_runs_nothing(tmp_path, monkeypatch, capsys, tool, suffix):
    """Loaders of YAML can call what a file names."""
    ran = tmp_path / 'ran'
    payload = f'!!python/object/apply:os.mkdir ["{ran}"]'
    # The payload is a real one.
    yaml.load(payload, yaml.UnsafeLoader)  # noqa: S506
    ran.rmdir()
    write(tmp_path / 'w.pth', b'')
    config = write(tmp_path / f'c.{suffix}', f'model: {payload}\nsteps: {payload}')
    arguments = {
        'test': ['w.pth'], 'generate_seeds': ['w.pth', '--out', 'o'],
        'refine_seeds': ['--seeds', '.', '--out', 'o', '--refiner', 'none'],
        'evaluate_seeds': ['--seeds', '.'], 'pipeline': ['--list']}.get(tool, [])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, 'argv', [tool, config, *arguments])
    script = load_tool(tool)
    with pytest.raises(SystemExit) as ended:
        run_tool(script.parse_args, script.main)
    assert ended.value.code == 2
    assert 'configs and recipes are Python files' in capsys.readouterr().err
    assert not ran.exists()


def test_names_are_text_in_the_report():
    """Ids, tags, classes and whatever else comes from data."""
    picture = np.zeros((4, 4, 3), np.uint8)
    section = Section(
        title=XSS, columns=[XSS], rows=[Row(XSS, [XSS], [Cell(picture, 1.)])],
        classes={XSS: (1, 2, 3)}, images=1, ranked_by=XSS)
    page = render_report(
        XSS, [section], protocol={XSS: XSS}, headline=[dict(title=XSS, value=1.)],
        steps=[dict(name=XSS, type=XSS, seconds=1, numbers={XSS: XSS},
                    protocol=XSS)])
    assert '<script' not in page and '<img src=x' not in page
    assert page.count('&lt;script&gt;alert(1)') >= 10


def test_no_checkpoint_runs_on_import(tmp_path):
    """A web page, a script and a library named as checkpoints."""
    for content in (b'#!/bin/sh\ntouch ran\n', b'\x7fELF' + bytes(100),
                    b'import os\nos.mkdir("ran")\n'):
        with pytest.raises(ValueError, match='w.pth'):
            load_checkpoint_file(write(tmp_path / 'w.pth', content))
    assert sys.getsizeof(content) and [p.name for p in tmp_path.iterdir()] == ['w.pth']


def test_bombs_in_animations(tmp_path):
    """Of an animation the first picture counts, however many there are."""
    frames = [Image.new('P', (8, 8), color) for color in range(50)]
    file = io.BytesIO()
    frames[0].save(file, 'GIF', save_all=True, append_images=frames[1:])
    assert read_image(write(tmp_path / 'p.gif', file.getvalue())).shape == (8, 8, 3)
