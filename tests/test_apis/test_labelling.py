# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""A million images begin with eight: every way in and out gives the same masks."""

import errno
import os
import re
import shutil
import signal
import sys

import numpy as np
import pytest
import torch
from labelling_setting import image_rows, make_setting, rows_of
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from tool_runner import load_tool, run_tool

from mmwsss.apis import label_photos
from mmwsss.apis.labelling import counted_shards, label_settings
from mmwsss.apis.labelling.inputs import InputImages, list_images
from mmwsss.apis.labelling.outputs import LabelFolder
from mmwsss.datasets.image_io import decode_mask, read_image, read_mask
from mmwsss.shards import ShardRow, open_shards, write_shard
from mmwsss.utils import entry_point, project_path, read_config, read_json, write_json

pytest.importorskip('fsspec')
pa = pytest.importorskip('pyarrow')
pq = pytest.importorskip('pyarrow.parquet')


@pytest.fixture(scope='module')
def setting(voc_root, tmp_path_factory):
    """A model, images, and their masks as shards of three."""
    folder = tmp_path_factory.mktemp('labelling')
    setting = make_setting(folder, voc_root)
    out = folder / 'labels'
    run(setting, out)
    return dict(setting, folder=folder, out=out)


def run(setting, out, inputs=None, **options):
    options = {**dict(tags=setting['tags'], images_per_shard=3, device='cpu',
                      show_progress=False), **options}
    return label_photos(setting['config'], setting['checkpoint'],
                        inputs or setting['inputs'], str(out), **options)


def masks_of(folder):
    return {name: row.mask for name, row in rows_of(folder).items()}


def errors_of(folder):
    return {row['id']: row['reason'] for row in
            pq.read_table(str(folder / 'errors.parquet')).to_pylist()}


def test_shards(setting):
    rows = rows_of(setting['out'])
    assert sorted(rows) == sorted(setting['ids'])
    for name, row in rows.items():
        assert row.tags == setting['names'][name]
        assert sorted(row.classes) == sorted(row.tags)
        assert all(0 < score < 1 for score in row.scores)
        mask = decode_mask(row.mask, name)
        assert mask.shape == (row.height, row.width) == read_image(row.path).shape[:2]
    shards = open_shards(str(setting['out']))
    assert [len(shard) for shard in shards] == [3, 3, 2]
    meta = shards[2].meta
    assert meta.classes[0] == 'background' and len(meta.classes) == 7
    assert meta.protocol['rule']['type'] == 'ThresholdLabel'
    assert {'weights', 'model', 'pipeline'} <= set(meta.protocol['seeds'])
    assert meta.versions['torch'] == torch.__version__
    assert errors_of(setting['out']) == {}
    summary = read_json(str(setting['out'] / 'summary.json'))
    assert (summary['photos'], summary['labelled'], summary['errors']) == (8, 8, 0)
    assert 'of the pseudo labels is background' in summary['checks'][0]


@pytest.mark.parametrize('refiner', ['none', 'irn_label'])
def test_masks_are_those_of_the_tools(setting, tmp_path, refiner):
    """One pass equals generate_seeds.py --labels-out bit for bit. By files of seeds
    and refine_seeds.py the masks differ where float16 rounds a tie, or stride 4 a
    border: with full-size files in hardly a pixel."""
    call = setting['config'], setting['checkpoint']
    rule = '--refiner', refiner, '--bg-thr', '0.4'
    one = tmp_path / 'one'
    run_tool('label_photos', *call, '--input', setting['inputs'], '--tags',
             setting['tags'], '--output', one, '--format', 'png', *rule)
    run_tool('generate_seeds', *call, '--labels-out', tmp_path / 'direct', *rule,
             '--out', tmp_path / 'seeds', '--full-size')
    run_tool('refine_seeds', setting['config'], '--seeds', tmp_path / 'seeds',
             '--out', tmp_path / 'files', *rule, '--jobs', 0)
    pixels = same = 0
    for name in setting['ids']:
        mask = read_mask(str(one / f'{name}.png'))
        direct = tmp_path / 'direct' / f'{name}.png'
        assert (one / f'{name}.png').read_bytes() == direct.read_bytes()
        by_files = read_mask(str(tmp_path / 'files' / f'{name}.png'))
        pixels, same = pixels + mask.size, same + (mask == by_files).sum()
    assert same / pixels > .998
    assert len({np.unique(read_mask(str(path))).size for path in one.glob('*.png')}) > 1


def test_masks_of_a_walk(setting, voc_root, tmp_path):
    """IRN's walk in one pass: as by the files of walk_seeds.py, but for float16."""
    guide = tmp_path / 'irn.py'
    guide.write_text(f"""
_base_ = {project_path('configs', 'irn', 'irn_demo.py')!r}
data_root = {str(voc_root)!r}
seed_dataloader = dict(num_workers=0, persistent_workers=False,
                       dataset=dict(data_root={str(voc_root)!r}))
walk_tta_model = dict(pad_size=0)
walk = dict(refiner=dict(steps=16), bg_thr=0.6)
""")
    torch.manual_seed(1)
    init_default_scope('mmseg')
    torch.save(dict(state_dict=MODELS.build(read_config(str(guide)).model).state_dict(),
                    meta={}), tmp_path / 'irn.pth')
    run(setting, tmp_path / 'one', format='png',
        walk=(str(guide), str(tmp_path / 'irn.pth')))
    run_tool('generate_seeds', setting['config'], setting['checkpoint'], '--out',
             tmp_path / 'seeds')
    run_tool('walk_seeds', guide, tmp_path / 'irn.pth', '--seeds', tmp_path / 'seeds',
             '--out', tmp_path / 'walked')
    pixels = same = shown = 0
    for name in setting['ids']:
        one, walked = (read_mask(str(tmp_path / folder / f'{name}.png'))
                       for folder in ('one', 'walked'))
        pixels, same = pixels + one.size, same + (one == walked).sum()
        shown += len(np.unique(one)) > 1
    assert same / pixels > .998 and shown > 4
    # A CRF may follow the walk.
    run(setting, tmp_path / 'crf', walk=(str(guide), str(tmp_path / 'irn.pth')),
        label_rule=dict(type='ThresholdLabel', bg_thr=.6,
                        refiner=dict(type='DenseCRF', preset='irn_label')))
    assert len(rows_of(tmp_path / 'crf')) == 8
    with pytest.raises(ValueError, match='config.py has no walk'):
        run(setting, tmp_path / 'x', walk=(setting['config'], setting['checkpoint']))


def test_every_way_in(setting, tmp_path):
    """A folder, a list, Parquet of images, of paths and of URLs, tars, a bucket."""
    expected = masks_of(setting['out'])
    folder = tmp_path / 'photos'
    folder.mkdir()
    for name in setting['ids']:
        shutil.copy(setting['root'] / 'JPEGImages' / f'{name}.jpg', folder)
    (folder / 'notes.doc').write_text('no photo')
    write_shard(str(tmp_path / 'bytes.parquet'), image_rows(setting))
    write_shard(str(tmp_path / 'paths.parquet'), image_rows(setting, False))
    urls = image_rows(setting, False)
    for row in urls:
        row.path = f'file://{row.path}'
    write_shard(str(tmp_path / 'urls.parquet'), urls)
    rows = image_rows(setting)
    bucket = f'memory://{tmp_path.name}'
    for i in range(2):
        write_shard(str(tmp_path / 'tars' / f'{i}.tar'), rows[5 * i:5 * i + 5])
        write_shard(f'{bucket}/{i}.parquet', rows[4 * i:4 * i + 4])
    (tmp_path / 'list.txt').write_text(
        ''.join(f'photos/{name}.jpg\n' for name in setting['ids']))
    ways = dict(
        folder=(folder, setting['tags']), one_by_one=(
            [str(path) for path in sorted(folder.glob('*.jpg'))], setting['tags']),
        bytes=(tmp_path / 'bytes.parquet', None),
        paths=(tmp_path / 'paths.parquet', None),
        urls=(tmp_path / 'urls.parquet', setting['tags']),
        tars=(tmp_path / 'tars', None), bucket=(bucket, None))
    for name, (inputs, tags) in ways.items():
        out = tmp_path / 'out' / name
        run(setting, out, inputs if isinstance(inputs, list) else str(inputs),
            tags=tags)
        assert masks_of(out) == expected, name
    # The ids of a list of relative paths are these paths.
    assert list(list_images(str(tmp_path / 'list.txt'))) == [
        f'photos/{name}' for name in setting['ids']]


@pytest.mark.parametrize('paths, ids', [
    (['a.jpg', 'b/c.png'], ['a', 'b/c']),
    (['b/a.jpg', 'b/c.png'], ['a', 'c']),
    (['/a.jpg', '/b/c.jpg'], ['a', 'b/c']),
    (['/x/ab/a.jpg', '/x/ac/d.e.jpg'], ['ab/a', 'ac/d.e']),
    (['s3://b/x/a.jpg', 's3://b/x/y/c.jpg'], ['a', 'y/c'])])
def test_ids_begin_below_the_shared_folder(paths, ids):
    assert list(list_images(paths).items()) == list(zip(ids, paths, strict=True))


def test_every_way_out(setting, tmp_path):
    expected = rows_of(setting['out'])
    run(setting, tmp_path / 'tar', format='webdataset', with_images=True, workers=2)
    rows = rows_of(tmp_path / 'tar')
    for row in image_rows(setting):
        assert rows[row.id].image == row.image
        assert rows[row.id].mask == expected[row.id].mask
        assert np.allclose(rows[row.id].scores, expected[row.id].scores)
    run(setting, f'memory://{tmp_path.name}/out')
    assert rows_of(f'memory://{tmp_path.name}/out') == expected


def test_a_killed_run_goes_on(setting, tmp_path):
    """Killed when the second part stands, before that is noted."""
    child = os.fork()
    if not child:
        LabelFolder.write_account = kill_at_the_second(LabelFolder.write_account)
        run(setting, tmp_path)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    assert sorted(path.name for path in tmp_path.glob('part*')) == [
        'part-000000.parquet', 'part-000001.parquet']
    kept = (tmp_path / 'part-000000.parquet').stat().st_mtime_ns
    summary = run(setting, tmp_path)
    assert (summary['labelled'], summary['errors']) == (8, 0)
    assert summary['checks'] == read_json(
        str(setting['out'] / 'summary.json'))['checks']
    assert rows_of(tmp_path) == rows_of(setting['out'])
    assert (tmp_path / 'part-000000.parquet').stat().st_mtime_ns == kept
    # Nothing is left to do.
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob('part*')}
    assert run(setting, tmp_path)['labelled'] == 8
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob('part*')} == before


def kill_at_the_second(write_account):
    def write(folder, number, account):
        if number == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        write_account(folder, number, account)
    return write


def test_broken_images(setting, tmp_path):
    rows = image_rows(setting)
    rows[1].image = rows[1].image[:300]
    rows[4].image = None
    rows[4].path = str(tmp_path / 'gone.jpg')
    rows[5].tags = None
    rows[6].tags = []
    write_shard(str(tmp_path / 'in.parquet'), rows)
    out = tmp_path / 'out'
    summary = run(setting, out, str(tmp_path / 'in.parquet'), tags=None)
    broken = {rows[i].id for i in (1, 4, 5)}
    errors = errors_of(out)
    assert set(errors) == broken
    assert 'cannot read image' in errors[rows[1].id]
    assert 'gone.jpg does not exist' in errors[rows[4].id]
    assert 'has no tags' in errors[rows[5].id]
    expected = masks_of(setting['out'])
    masks = masks_of(out)
    assert not decode_mask(masks.pop(rows[6].id), '').any()
    assert masks == {name: expected[name] for name in masks}
    assert set(masks) == {*expected} - broken - {rows[6].id}
    assert (summary['labelled'], summary['errors']) == (5, 3)
    # Another run knows them from before.
    assert run(setting, out, str(tmp_path / 'in.parquet'), tags=None)['errors'] == 3
    assert set(errors_of(out)) == broken
    with pytest.raises(ValueError, match='3 photos could not be labelled, more than 2'):
        run(setting, tmp_path / 'two', str(tmp_path / 'in.parquet'), tags=None,
            max_errors=2)
    assert set(errors_of(tmp_path / 'two')) == broken
    assert len(list((tmp_path / 'two').glob('part*'))) == 2


def test_an_output_of_something_else(setting, tmp_path):
    before = sorted(setting['out'].iterdir())
    other = tmp_path / 'other.pth'
    state = torch.load(setting['checkpoint'])
    state['state_dict']['decode_head.classifier.weight'] += 1
    torch.save(state, other)
    for options, message in (
            (dict(label_rule=dict(type='ThresholdLabel', bg_thr=.3)), 'another rule'),
            (dict(images_per_shard=4), 'another photos_per_shard'),
            (dict(format='webdataset'), 'another format'),
            (dict(inputs=[setting['root'] / 'JPEGImages' / f'{name}.jpg'
                          for name in setting['ids'][:3]]), 'another photos')):
        with pytest.raises(FileExistsError, match=f'labels holds .* {message}'):
            run(setting, setting['out'], **options)
    with pytest.raises(FileExistsError, match='another seeds'):
        run(dict(setting, checkpoint=str(other)), setting['out'])
    (tmp_path / 'other.png').touch()
    with pytest.raises(FileExistsError, match='holds files of unknown origin'):
        run(setting, tmp_path)
    assert sorted(setting['out'].iterdir()) == before


def test_shards_of_other_images(setting, tmp_path):
    """Ids and sizes tell them apart; where they lie does not matter."""
    def digest(name, **changes):
        rows = image_rows(setting, number=2)
        for key, value in changes.items():
            setattr(rows[1], key, value)
        write_shard(str(tmp_path / name / 'in.parquet'), rows)
        return InputImages(str(tmp_path / name)).digest()

    plain = digest('a')
    assert digest('elsewhere') == plain
    assert len({plain, digest('b', id='other'),
                digest('c', image=image_rows(setting, number=3)[2].image)}) == 3


def test_ids_of_several_shards(setting, tmp_path, monkeypatch):
    for name, one in (('a', 'One'), ('b', 'two'), ('c', 'one')):
        write_shard(str(tmp_path / f'{name}.parquet'), [ShardRow(one, b'', tags=[])])
    with pytest.raises(ValueError, match="the ids 'One' and 'one' are one where case .*"
                       'in .*a.parquet and .*c.parquet'):
        InputImages(str(tmp_path))
    # By chance two others may have one key.
    (tmp_path / 'c.parquet').unlink()
    monkeypatch.setattr(counted_shards, 'hash', lambda text: 7, raising=False)
    assert len(InputImages(str(tmp_path))) == 2


def test_unknown_tags(setting, tmp_path):
    """In a table all are looked at before; in shards what was finished stays."""
    write_json(str(tmp_path / 't.json'), dict(setting['names'], other=['zebra']))
    with pytest.raises(ValueError, match="t.json: image 'other': unknown .*'zebra'"):
        run(setting, tmp_path / 'x', tags=str(tmp_path / 't.json'))
    rows = image_rows(setting)
    rows[4].tags = ['zebra']
    write_shard(str(tmp_path / 'in.parquet'), rows)
    with pytest.raises(ValueError, match=f"photo '{rows[4].id}': unknown .*zebra"):
        run(setting, tmp_path / 'y', str(tmp_path / 'in.parquet'), tags=None)
    assert [path.name for path in (tmp_path / 'y').glob('part*')] == [
        'part-000000.parquet']


def test_no_space(setting, tmp_path, monkeypatch):
    """The disk is full at the second shard: the first stays, no half file."""
    sync, written = os.fsync, []

    def full(number):
        written.append(number)
        if len(written) > 4:  # the plan, a shard, its account, a shard
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(number)

    monkeypatch.setattr(os, 'fsync', full)
    with pytest.raises(OSError, match='cannot write .*part-0.*No space left'):
        run(setting, tmp_path)
    monkeypatch.undo()
    assert not list(tmp_path.rglob('*.tmp'))
    assert (tmp_path / '.parts' / 'part-000000.json').exists()
    run(setting, tmp_path)
    assert rows_of(tmp_path) == rows_of(setting['out'])


def tool(setting, *options):
    """What the tool says, and its exit status."""
    module = load_tool('label_photos')
    before = sys.argv
    sys.argv = ['label_photos.py', setting['config'], setting['checkpoint'],
                '--refiner', 'none', *map(str, options)]
    try:
        entry_point.run_tool(module.parse_args, module.main)
    except SystemExit as end:
        return end.code
    finally:
        sys.argv = before
    return 0


@pytest.mark.parametrize('inputs, message', [
    ('nothing://bucket/x', 'nothing://bucket/x.*[Pp]rotocol'),
    ('memory://no_such_bucket/x', 'memory://no_such_bucket/x'),
    ('no_such_folder', 'no_such_folder does not exist'),
    ('cut.tar', 'cut.tar is no whole plain tar|cut.tar is cut off'),
    ('columns.parquet', 'columns.parquet: expected a column "id"'),
    ('none.txt', 'none.txt does not exist'),
    ('empty.parquet', 'empty.parquet holds no photo'),
    ('twice', 'duplicate id .*: in twice/a.tar and twice/b.tar'),
    ('broken.tar', 'none of 1 photos could be labelled; .*')])
def test_bad_inputs(setting, tmp_path, capsys, monkeypatch, inputs, message):
    monkeypatch.chdir(tmp_path)
    write_shard('whole.tar', image_rows(setting, number=2))
    (tmp_path / 'cut.tar').write_bytes((tmp_path / 'whole.tar').read_bytes()[:5000])
    pq.write_table(pa.table(dict(name=['a'])), 'columns.parquet')
    write_shard('empty.parquet', [])
    write_shard('twice/a.tar', image_rows(setting, number=2))
    write_shard('twice/b.tar', image_rows(setting, number=1))
    write_shard('broken.tar', [ShardRow('a', b'GIF8', tags=[])])
    assert tool(setting, '--input', inputs, '--output', 'out') == 2
    said = capsys.readouterr().err.strip()
    assert re.fullmatch(f'error: .*({message}).*', said), said
    assert not list(tmp_path.glob('out/*.png'))
    assert (tmp_path / 'out').exists() == (inputs == 'broken.tar')


def test_pamr_by_the_tool(setting, tmp_path):
    assert tool(setting, '--input', setting['inputs'], '--tags', setting['tags'],
                '--output', tmp_path, '--refiner', 'pamr', '--device', 'cpu') == 0
    assert sorted(rows_of(tmp_path)) == sorted(setting['ids'])
    rule = open_shards(str(tmp_path))[0].meta.protocol['rule']
    assert (rule['refiner'], rule['alpha']) == (dict(type='PAMR'), 4)


def test_images_need_tags(setting, tmp_path, capsys):
    assert tool(setting, '--input', setting['inputs'], '--output', tmp_path) == 2
    assert 'are photos without tags: give a table' in capsys.readouterr().err


def test_absent_packages(setting, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'ray', None)
    with pytest.raises(ImportError, match=r'pip install "ray\[data\]"'):
        run(setting, tmp_path / 'x', engine='ray')
    monkeypatch.setitem(sys.modules, 'pyarrow.parquet', None)
    with pytest.raises(ImportError, match='pip install "pyarrow"'):
        run(setting, tmp_path / 'y')


@pytest.mark.parametrize('size', [1, 2, 3, 4, 7, 100])
def test_parts_hold_every_image_once(tmp_path, size):
    """Whatever the shards of the input, and also without the parts that are done."""
    counts = (5, 0, 1, 9)
    ids = [f'{i}/{j}' for i, count in enumerate(counts) for j in range(count)]
    for i, count in enumerate(counts):
        write_shard(str(tmp_path / f'{i}.parquet'),
                    [ShardRow(f'{i}/{j}', path='x.jpg', tags=[]) for j in range(count)])
    images = InputImages(str(tmp_path))
    parts = list(images.parts(size, set()))
    assert len(parts) == images.num_parts(size) == -(-15 // size)
    assert [part.number for part in parts] == list(range(len(parts)))
    read = [[row.id for row in part.rows(None)] for part in parts]
    assert [len(part) for part in read[:-1]] == [size] * (len(parts) - 1)
    assert sum(read, []) == ids
    rest = list(images.parts(size, {0, 2}))
    assert rest == [part for part in parts if part.number not in (0, 2)]


def test_classes_are_those_of_the_checkpoint(tmp_path):
    """The file of classes that a config names need not be there any more."""
    classes = ['background', 'cat', 'dog']
    torch.save(dict(state_dict={}, meta=dict(dataset_meta=dict(classes=classes))),
               tmp_path / 'model.pth')
    settings = label_settings(
        project_path('configs', 'cam', 'cam_mobilenetv1_folder.py'),
        str(tmp_path / 'model.pth'))
    assert settings.classes == classes
    assert settings.seeds.config['model']['decode_head']['num_classes'] == 3


def test_seeds_are_not_stored(setting):
    assert {path.suffix for path in setting['out'].rglob('*') if path.is_file()} == {
        '.json', '.parquet'}
