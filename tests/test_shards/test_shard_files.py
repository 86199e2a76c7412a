# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""What is written into shards comes out again; what is hostile is refused by name."""

import errno
import io
import json
import os
import pickle
import sys
import tarfile

import pytest

from mmwsss.shards import (
    ShardMeta,
    ShardRow,
    TarShard,
    list_files,
    load_image_bytes,
    open_shard,
    open_shards,
    write_shard,
)

fsspec = pytest.importorskip('fsspec')
pa = pytest.importorskip('pyarrow')
pq = pytest.importorskip('pyarrow.parquet')

META = ShardMeta(['background', 'cat'], dict(rule='none'), dict(mmwsss='0'))
JPEG = b'\xff\xd8' + bytes(range(200))


def make_rows(number=7, image=JPEG):
    return [
        ShardRow(f'cats/{i:03}.v1', image=image + bytes([i]), tags=['cat'] * (i % 2),
                 mask=b'\x89PNG%d' % i, classes=['cat'], scores=[.5], width=4 + i,
                 height=3)
        for i in range(number)]


@pytest.fixture(params=['.parquet', '.tar'])
def shard(request, tmp_path):
    path = str(tmp_path / f'part-0{request.param}')
    assert write_shard(path, make_rows(), META) == 7
    return open_shard(path)


def test_round_trip(shard):
    assert shard.num_rows == len(shard) == 7
    assert shard.meta == META
    assert list(shard.rows()) == make_rows()
    assert list(shard.rows(2, 5)) == make_rows()[2:5]
    assert [shard[i] for i in (6, 0, 3)] == [make_rows()[i] for i in (6, 0, 3)]
    with pytest.raises(IndexError, match='has 7 rows, not 7'):
        shard[7]


def test_a_reader_travels_to_other_processes(shard):
    assert shard[0] == make_rows()[0]
    assert list(pickle.loads(pickle.dumps(shard)).rows()) == make_rows()
    shard.close()
    assert shard[1] == make_rows()[1]


def test_equal_rows_give_equal_bytes(shard, tmp_path):
    again = tmp_path / ('again' + os.path.splitext(shard.location)[1])
    write_shard(str(again), make_rows(), META)
    with open(shard.location, 'rb') as file:
        assert file.read() == again.read_bytes()


def test_groups_of_parquet(tmp_path):
    """Large images make small groups; rows are found in each."""
    path = str(tmp_path / 'big.parquet')
    rows = make_rows(5, JPEG + bytes(3 << 20))
    write_shard(path, rows)
    assert pq.ParquetFile(path).num_row_groups == 3
    shard = open_shard(path)
    assert [shard[i] for i in (4, 1, 2)] == [rows[i] for i in (4, 1, 2)]
    assert list(shard.rows(1, 4)) == rows[1:4]


def test_a_failed_write_leaves_nothing(tmp_path):
    def broken():
        yield from make_rows(2)
        raise RuntimeError('power')

    for suffix in ('.parquet', '.tar'):
        with pytest.raises(RuntimeError, match='power'):
            write_shard(str(tmp_path / f'x{suffix}'), broken())
        with pytest.raises(ValueError, match="duplicate id 'cats/000.v1'"):
            write_shard(str(tmp_path / f'x{suffix}'), make_rows(1) * 2)
        with pytest.raises(ValueError, match=r"'\.\./x' has an empty part"):
            write_shard(str(tmp_path / f'x{suffix}'), [ShardRow('../x', mask=b'')])
    assert not list(tmp_path.iterdir())


def test_other_filesystems(tmp_path):
    folder = f'memory://{tmp_path.name}'
    for i in range(2):
        write_shard(f'{folder}/part-{i}.parquet', make_rows(3), META)
    write_shard(f'{folder}/errors.parquet', make_rows(1))
    shards = open_shards(folder)
    assert [shard.location for shard in shards] == [
        f'memory:///{tmp_path.name}/part-{i}.parquet' for i in range(2)]
    assert list(shards[1].rows()) == make_rows(3)
    assert len(list_files(folder)) == 3
    with pytest.raises(FileNotFoundError, match='memory://nowhere'):
        open_shards('memory://nowhere')
    with pytest.raises(FileNotFoundError, match='memory://no/where.tar'):
        list(open_shard('memory://no/where.tar').rows())
    with pytest.raises(ValueError, match='nothing://x.*[Pp]rotocol'):
        open_shards('nothing://x')
    with pytest.raises(ValueError, match='chained'):
        open_shards('simplecache::memory://x')


def test_a_bucket_out_of_reach():
    """Clients of object stores have exceptions of their own."""
    class Unreachable(fsspec.AbstractFileSystem):
        protocol = 'unreachable'

        def ls(self, path, **_):
            raise RuntimeError('no route to host')

        info = isdir = _open = put_file = makedirs = ls

    fsspec.register_implementation('unreachable', Unreachable, clobber=True)
    for call in (open_shards, list_files, lambda url: open_shard(f'{url}.tar')[0],
                 lambda url: write_shard(f'{url}.tar', make_rows(1))):
        with pytest.raises(OSError, match='cannot reach unreachable://b/x.*no route'):
            call('unreachable://b/x')


def test_a_bucket_is_not_made(monkeypatch):
    """A client of an object store takes "make this folder" for "make a bucket"."""
    from fsspec.implementations.memory import MemoryFileSystem

    class Bucket(MemoryFileSystem):
        protocol = 'gs'
        store, pseudo_dirs = {}, ['', '/there']

        @classmethod
        def _strip_protocol(cls, path):
            return super()._strip_protocol(path.replace('gs://', 'memory://'))

        def put_file(self, lpath, rpath, **_):
            if not self.exists(self._parent(rpath)):
                raise FileNotFoundError(rpath)
            super().put_file(lpath, rpath)

    registry = sys.modules['fsspec.registry']._registry
    monkeypatch.setitem(registry, 'gs', Bucket)
    write_shard('gs://there/x.tar', make_rows(1))
    assert len(open_shard('gs://there/x.tar')) == 1
    with pytest.raises(FileNotFoundError, match='write gs://typo/x.tar: there is no'):
        write_shard('gs://typo/x.tar', make_rows(1))
    assert not Bucket().exists('typo')


def test_a_write_elsewhere_is_whole_or_absent(tmp_path):
    def broken(error):
        yield from make_rows(2)
        raise error

    location = f'memory://{tmp_path.name}/x.tar'
    with pytest.raises(RuntimeError):
        write_shard(location, broken(RuntimeError('power')))
    # It is put together on this machine first.
    with pytest.raises(OSError, match=f'cannot write {location}, of which .*No space'):
        write_shard(location, broken(OSError(errno.ENOSPC, 'No space left')))
    with pytest.raises(FileNotFoundError):
        list_files(f'memory://{tmp_path.name}')


def test_images_beside_a_table(tmp_path):
    """Columns as other people have them: url, Hugging Face's struct."""
    (tmp_path / 'photos').mkdir()
    (tmp_path / 'photos' / 'a.jpg').write_bytes(JPEG)
    pq.write_table(pa.table(dict(id=['a'], url=['photos/a.jpg'], more=[1])),
                   tmp_path / 'url.parquet')
    row = open_shard(str(tmp_path / 'url.parquet'))[0]
    assert load_image_bytes(row) == JPEG
    pq.write_table(
        pa.table(dict(id=['a', 'b'], image=[dict(bytes=JPEG, path='x.jpg'),
                                            dict(bytes=None, path='photos/a.jpg')])),
        tmp_path / 'struct.parquet')
    shard = open_shard(str(tmp_path / 'struct.parquet'))
    assert [load_image_bytes(row) for row in shard.rows()] == [JPEG, JPEG]
    with pytest.raises(FileNotFoundError, match='gone.jpg does not exist'):
        load_image_bytes(ShardRow('a', path=str(tmp_path / 'gone.jpg')))
    with pytest.raises(ValueError, match='a has neither'):
        load_image_bytes(ShardRow('a'))


def test_tars_are_those_of_webdataset(tmp_path):
    """The library itself reads what we write."""
    wds = pytest.importorskip('webdataset')
    path = str(tmp_path / 'part-0.tar')
    rows = make_rows(3)
    write_shard(path, rows, META)
    samples = list(wds.WebDataset(path, shardshuffle=False))
    assert [sample['jpg'] for sample in samples] == [row.image for row in rows]
    assert [sample['mask.png'] for sample in samples] == [row.mask for row in rows]
    assert [json.loads(sample['json'])['id'] for sample in samples] == [
        row.id for row in rows]


def write_members(path, *members):
    with tarfile.open(path, 'w') as tar:
        for member, data in members:
            if isinstance(member, str):
                member = tarfile.TarInfo(member)
                member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


def link(kind, name='a.jpg'):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, '/etc/passwd'
    return member


HOSTILE = [
    ([('../../etc/x.jpg', JPEG)], r"'\.\./\.\./etc/x' has an empty part"),
    ([('/etc/x.jpg', JPEG)], 'is an absolute path'),
    ([(link(tarfile.SYMTYPE), b'')], "'a.jpg' is no plain file"),
    ([(link(tarfile.LNKTYPE), b'')], "'a.jpg' is no plain file"),
    ([(link(tarfile.FIFOTYPE), b'')], "'a.jpg' is no plain file"),
    ([('a.jpg', JPEG), ('a.jpg', JPEG)], "'a.jpg' twice"),
    ([('a.jpg', JPEG), ('a.png', JPEG)], "two photos of 'a'"),
    ([('a.jpg', JPEG), ('a.json', b'{"tags": ["c"')], 'a.json is no JSON'),
    ([('a.jpg', JPEG), ('a.json', b'{"tags": "cat"}')], "has the tags 'cat'"),
    ([('a.jpg', JPEG), ('a.json', b'{"id": "../a"}')], 'has an empty part'),
    ([('a.jpg', JPEG), ('a.txt', b'\xff')], 'the text of a is no UTF-8'),
    ([('__mmwsss__', b'[]'), ('a.jpg', JPEG)], "entry 'mmwsss' is damaged"),
]


@pytest.mark.parametrize('members, message', HOSTILE)
def test_hostile_tars(tmp_path, members, message):
    path = tmp_path / 'bad.tar'
    write_members(path, *members)
    with pytest.raises(ValueError, match=f'bad.tar.*{message}'):
        list(TarShard(str(path)).rows())


@pytest.mark.parametrize('left', [10, 511, 700, 1100])
def test_tars_that_are_cut_off(tmp_path, left):
    path = tmp_path / 'cut.tar'
    write_members(path, ('a.jpg', JPEG), ('b.jpg', JPEG * 3))
    assert len(TarShard(str(path))) == 2
    whole = path.read_bytes()
    # At the border of a member, too, where the format alone sees no harm.
    for end in {left, 1024, 2560}:
        path.write_bytes(whole[:end])
        with pytest.raises(ValueError, match='cut.tar is.*cut off'):
            len(TarShard(str(path)))


def test_compressed_tars(tmp_path):
    with tarfile.open(tmp_path / 'x.tar', 'w:gz'):
        pass
    with pytest.raises(ValueError, match='x.tar is no whole plain tar'):
        len(TarShard(str(tmp_path / 'x.tar')))


@pytest.mark.parametrize('columns, message', [
    (dict(name=['a']), 'expected a column "id" and one of "image".*got name'),
    (dict(id=['a']), 'expected a column "id" and one of "image"'),
    (dict(id=[1], path=['a']), '"id" should be text, it is int64'),
    (dict(id=['a'], image=['text']), '"image" should be binary, it is string'),
    (dict(id=['a'], path=['a'], tags=['cat']), '"tags" should be a list of text'),
    (dict(id=['../a'], path=['a']), 'has an empty part'),
    (dict(id=[None], path=['a']), 'the id None is no string')])
def test_wrong_columns(tmp_path, columns, message):
    table = pa.table(columns)
    if columns['id' if 'id' in columns else 'name'] == [None]:
        table = table.set_column(0, 'id', pa.array([None], pa.string()))
    pq.write_table(table, tmp_path / 'bad.parquet')
    with pytest.raises(ValueError, match=f'bad.parquet.*{message}'):
        list(open_shard(str(tmp_path / 'bad.parquet')).rows())


def test_parquet_that_is_cut_off(tmp_path):
    path = tmp_path / 'bad.parquet'
    write_shard(str(path), make_rows())
    whole = path.read_bytes()
    for content in (b'', whole[:40], whole[:-1], b'PAR1' * 9,
                    whole[:200] + bytes(100) + whole[300:]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match='bad.parquet cannot be read as Parquet'):
            list(open_shard(str(path)).rows())


def test_folders_without_shards(tmp_path):
    with pytest.raises(ValueError, match='holds no shard'):
        open_shards(str(tmp_path))
    for name in ('a.tar', 'b.parquet'):
        (tmp_path / name).touch()
    with pytest.raises(ValueError, match='several formats'):
        open_shards(str(tmp_path))
    with pytest.raises(ValueError, match='ends in .parquet or .tar'):
        open_shard('a.zip')
    os.mkfifo(tmp_path / 'pipe.tar')
    with pytest.raises(ValueError, match='pipe.tar is no regular file'):
        len(open_shard(str(tmp_path / 'pipe.tar')))


def test_a_folder_may_be_called_like_a_file(tmp_path):
    """As Spark and Dask call theirs."""
    write_shard(str(tmp_path / 'x.parquet' / 'part-0.parquet'), make_rows(2))
    shard, = open_shards(str(tmp_path / 'x.parquet'))
    assert len(shard) == 2


def test_absent_packages(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'pyarrow.parquet', None)
    with pytest.raises(ImportError, match='x.parquet needs pyarrow: pip install'):
        open_shard('x.parquet')
    monkeypatch.setitem(sys.modules, 'fsspec.core', None)
    with pytest.raises(ImportError, match='s3://x needs fsspec: pip install'):
        open_shards('s3://x')
