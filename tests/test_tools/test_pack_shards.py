# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import os

import pytest
import torch
from mmseg.registry import DATASETS
from tool_runner import run_tool

from mmwsss.utils import project_path, read_config

pytest.importorskip('pyarrow')
PIPELINE = [dict(type='LoadPILImage'), dict(type='LoadMask', optional=True),
            dict(type='PackWeakInputs')]


@pytest.mark.parametrize('kind', ['parquet', 'webdataset'])
def test_what_is_packed_is_read_again(voc_root, tmp_path, capsys, kind):
    config = project_path('configs', 'cam', 'cam_demo.py')
    out = tmp_path / 'shards'
    arguments = [config, '--out', str(out), '--format', kind, '--images-per-shard',
                 '3', '--loader', 'val_dataloader', '--with-masks', '--cfg-options',
                 f'val_dataloader.dataset.data_root={voc_root}']
    run_tool('dataset_converters/pack_shards', *arguments)
    assert 'photo(s) in 3 shard(s)' in capsys.readouterr().out
    files = DATASETS.build(dict(
        read_config(config).val_dataloader.dataset, data_root=str(voc_root),
        pipeline=PIPELINE))
    packed = DATASETS.build(dict(
        type='WeakShardDataset', data_prefix=dict(img_path=str(out)),
        with_masks=True, pipeline=PIPELINE))
    assert len(packed) == len(files) and packed.metainfo['classes'] == \
        files.metainfo['classes']
    for one, other in zip(packed, files, strict=True):
        assert torch.equal(one['inputs'], other['inputs'])
        one, other = one['data_samples'], other['data_samples']
        assert one.img_id == other.img_id
        assert (one.tags == other.tags).all()
        assert torch.equal(one.gt_sem_seg.data, other.gt_sem_seg.data)
    # A lost shard is made again, the others stay; another selection is refused.
    shards = sorted(path for path in out.iterdir() if path.name[0] != '.')
    times = [os.stat(path).st_mtime_ns for path in shards]
    content = shards[1].read_bytes()
    shards[1].unlink()
    run_tool('dataset_converters/pack_shards', *arguments)
    assert shards[1].read_bytes() == content
    assert [os.stat(path).st_mtime_ns for path in shards[::2]] == times[::2]
    arguments[arguments.index('3')] = '4'
    with pytest.raises(FileExistsError, match='made with another photos_per_shard'):
        run_tool('dataset_converters/pack_shards', *arguments)
    run_tool('dataset_converters/pack_shards', *arguments, '--renew')
    assert len([path for path in out.iterdir() if path.name[0] != '.']) == 2
    assert (tmp_path / f'{out.name}.previous' / shards[1].name).read_bytes() == content


def test_a_bucket_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        run_tool('dataset_converters/pack_shards', 'config.py', '--out', 's3://b/x')
    assert '--out is a folder of this machine, got s3://b/x' in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
