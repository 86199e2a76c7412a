# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import os
import pickle

import numpy as np
import pytest
import torch
from bad_files import Trap
from mmengine.logging import HistoryBuffer
from mmengine.runner import load_checkpoint
from mmengine.runner.checkpoint import _load_checkpoint
from tiny_training import TinyModel, tiny_config, train
from torch import nn

from mmwsss.engine import load_checkpoint_file, setup_entry_point
from mmwsss.engine.runner import use_safe_loading
from mmwsss.utils import checkpoint as module


class Reacher:
    """Reaches beyond what it names by getattr."""

    def __reduce__(self):
        return getattr, (HistoryBuffer, '__init__')


@pytest.fixture(params=['weights_only', 'restricted_pickle'])
def reader(request, monkeypatch):
    """Both ways to read: that of torch >= 2.6 and that of older ones."""
    if request.param == 'restricted_pickle':
        monkeypatch.setattr(torch, '__version__', '2.1.2')
    elif not hasattr(torch.serialization, 'safe_globals'):
        pytest.skip('needs torch >= 2.6')


@pytest.fixture(autouse=True)
def keep_environment(monkeypatch):
    """Undo the switch and the schemes that a test turns on."""
    from mmengine.runner import CheckpointLoader
    monkeypatch.setenv(module.FORCE_SAFE, '0')
    monkeypatch.setattr(CheckpointLoader, '_schemes',
                        dict(CheckpointLoader._schemes))


def write(path, value, **kwargs) -> str:
    torch.save(value, path, **kwargs)
    return str(path)


@pytest.mark.parametrize('new_format', [True, False])
def test_reads_what_mmengine_writes(tmp_path, reader, new_format):
    buffer = HistoryBuffer()
    for value in (1., 2., 3.):
        buffer.update(value)
    state = nn.Linear(2, 2).state_dict()
    path = write(
        tmp_path / 'a.pth',
        dict(
            state_dict=state,
            meta=dict(iter=3, seed=2**40, classes=('a', 'b')),
            message_hub=dict(log_scalars=dict(loss=buffer)),
            scores=[np.float64(1.5), np.float32(.5), np.int64(7), np.bool_(1)],
            arrays=np.arange(6.).reshape(2, 3),
            small=np.arange(3, dtype=np.uint8),
            parameter=nn.Parameter(torch.ones(2))),
        _use_new_zipfile_serialization=new_format)
    read = load_checkpoint_file(path)
    assert torch.equal(read['state_dict']['weight'], state['weight'])
    assert read['meta'] == dict(iter=3, seed=2**40, classes=('a', 'b'))
    assert read['scores'] == [1.5, .5, 7, True]
    assert (read['arrays'] == np.arange(6.).reshape(2, 3)).all()
    loss = read['message_hub']['log_scalars']['loss']
    assert loss.statistics('mean') == 2 and loss.current() == 3


def test_old_names_of_numpy(reader):
    """numpy 1 and 2 name the maker of scalars differently."""
    allowed = module.numpy_globals()
    for name in ('numpy.core', 'numpy._core'):
        scalar = allowed[f'{name}.multiarray.scalar']
        assert scalar(np.dtype('f8'), np.float64(2.5).tobytes()) == 2.5


@pytest.mark.parametrize('new_format', [True, False])
@pytest.mark.parametrize('wrap', [
    lambda bad: bad,
    lambda bad: dict(state_dict=dict(weight=torch.ones(1)), meta=bad),
    lambda bad: np.array([bad], dtype=object),
])
def test_malicious_checkpoint_is_refused(tmp_path, reader, wrap, new_format):
    trace = tmp_path / 'executed'
    path = write(
        tmp_path / 'bad.pth',
        wrap(Trap(trace)),
        _use_new_zipfile_serialization=new_format)
    with pytest.raises(ValueError, match=r'bad\.pth is (refused|not whole)'):
        load_checkpoint_file(path)
    assert not trace.exists()


def test_getattr_reaches_nothing_else(tmp_path, reader):
    path = write(tmp_path / 'bad.pth', Reacher())
    with pytest.raises(ValueError, match=r'bad\.pth is refused'):
        load_checkpoint_file(path)


def test_plain_pickle_is_refused(tmp_path, reader):
    trace = tmp_path / 'executed'
    path = tmp_path / 'bad.pth'
    path.write_bytes(pickle.dumps(Trap(trace)))
    with pytest.raises(ValueError, match=r'bad\.pth'):
        load_checkpoint_file(str(path))
    assert not trace.exists()


@pytest.mark.parametrize('keep', [10, 0.95])
def test_truncated_checkpoint(tmp_path, reader, keep):
    path = write(tmp_path / 'cut.pth', dict(state_dict=dict(a=torch.ones(999))))
    size = os.path.getsize(path)
    os.truncate(path, keep if isinstance(keep, int) else int(size * keep))
    with pytest.raises(ValueError, match=r'checkpoint .*cut\.pth'):
        load_checkpoint_file(path)


def test_all_of_mmengine_loads_safely(tmp_path, monkeypatch):
    """load_from, init_cfg and downloads refuse; so does torch.load itself."""
    use_safe_loading()
    trace = tmp_path / 'executed'
    path = write(tmp_path / 'bad.pth', Trap(trace))
    with pytest.raises(ValueError, match=r'bad\.pth is refused'):
        train(tiny_config(tmp_path / 'load_from', load_from=path))
    with pytest.raises(ValueError, match=r'bad\.pth is refused'):
        train(tiny_config(tmp_path / 'resume', load_from=path, resume=True))
    model = TinyModel()
    model.init_cfg = dict(type='Pretrained', checkpoint=path)
    with pytest.raises(ValueError, match=r'bad\.pth is refused'):
        model.init_weights()
    with pytest.raises(pickle.UnpicklingError):
        torch.load(path, weights_only=False)
    cfg = tiny_config(tmp_path, **{'model.backbone.checkpoint_path': path})
    with pytest.raises(ValueError, match=r'bad\.pth is refused'):
        setup_entry_point(cfg)

    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))
    os.makedirs(tmp_path / 'checkpoints')
    for url in ('https://x.org/bad.pth?version=2', 'http://x.org/bad.pth'):
        os.replace(path, tmp_path / 'checkpoints' / 'bad.pth')
        with pytest.raises(ValueError, match=r'bad\.pth is refused'):
            load_checkpoint(model, url)
        os.replace(tmp_path / 'checkpoints' / 'bad.pth', path)
    with pytest.raises(ValueError, match='pavi://x cannot be loaded safely'):
        _load_checkpoint('pavi://x')
    with pytest.raises(ValueError, match='petrel://x cannot be loaded'):
        _load_checkpoint('petrel://x')
    assert not trace.exists()


def test_names_become_addresses(tmp_path, monkeypatch):
    """torchvision, OpenMMLab and mmcls names lead to a download."""
    use_safe_loading()
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))
    fetched = []

    def download(url: str, path: str) -> None:
        fetched.append(url)
        write(path, dict(state_dict={'backbone.a': torch.ones(1)}))

    monkeypatch.setattr(torch.hub, 'download_url_to_file', download)
    assert _load_checkpoint('torchvision://resnet50')['state_dict']
    assert _load_checkpoint('open-mmlab://resnet50_caffe')['state_dict']
    state = _load_checkpoint('mmcls://mobilenet_v2')['state_dict']
    assert list(state) == ['a']
    assert all(url.startswith('https://') for url in fetched)
    assert [url.split('/')[-1].split('-')[0] for url in fetched] == [
        'resnet50', 'resnet50_caffe', 'mobilenet_v2_batch256_imagenet_20200708']
    assert _load_checkpoint(fetched[0])['state_dict'] and len(fetched) == 3
    with pytest.raises(ValueError, match='no weights of this name'):
        _load_checkpoint('torchvision://resnet51')
