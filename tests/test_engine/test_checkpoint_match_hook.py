# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import pytest
import torch
from mmengine.runner import Runner
from tiny_training import TinyModel, tiny_config, train

from mmwsss.engine import setup_entry_point


def save(path, drop=(), meta=None, **tensors) -> str:
    state = {k: v for k, v in TinyModel().state_dict().items() if k not in drop}
    torch.save(
        dict(state_dict={**state, **tensors}, meta=meta or dict(iter=1, epoch=0)),
        path)
    return str(path)


def test(tmp_path, path: str, **options) -> dict:
    cfg = tiny_config(tmp_path / 'test', load_from=path, **options)
    setup_entry_point(cfg)
    return Runner.from_cfg(cfg).test()


test.__test__ = False


def test_good_checkpoint(tmp_path):
    path = save(tmp_path / 'a.pth', **{'auxiliary_head.x': torch.ones(1)})
    assert 'score' in test(tmp_path, path)


@pytest.mark.parametrize('change, message', [
    (dict(drop=['head.bias']), 'missing head.bias'),
    (dict(extra=torch.ones(1)), 'surplus extra'),
    ({'head.weight': torch.ones(2, 4)},
     r'of other shape head.weight \(2, 4\) for \(1, 4\)'),
])
def test_other_model_is_refused(tmp_path, change, message):
    path = save(tmp_path / 'a.pth', **change)
    with pytest.raises(ValueError, match='another model than TinyModel: ' + message):
        test(tmp_path, path)
    with pytest.raises(ValueError, match=message):
        train(tiny_config(tmp_path / 'resume', load_from=path, resume=True))


def test_number_of_classes_is_named(tmp_path, monkeypatch):
    class Head(torch.nn.Linear):
        num_classes = 7

    path = save(
        tmp_path / 'a.pth', drop=['head.bias'],
        meta=dict(dataset_meta=dict(classes=('background', 'thing'))))
    init = TinyModel.__init__

    def with_decode_head(self, **kwargs):
        init(self, **kwargs)
        self.decode_head = Head(1, 1)

    monkeypatch.setattr(TinyModel, '__init__', with_decode_head)
    with pytest.raises(ValueError, match='for 2 classes, the model has num_classes=7'):
        test(tmp_path, path)


def test_load_from_in_training_takes_what_fits(tmp_path):
    path = save(tmp_path / 'a.pth', drop=['head.bias'])
    train(tiny_config(tmp_path / 'fits', load_from=path))
    torch.save(dict(state_dict=dict(other=torch.ones(1))), path)
    with pytest.raises(ValueError, match='no tensor of checkpoint .*a.pth fits'):
        train(tiny_config(tmp_path / 'none', load_from=path))


def test_missing_checkpoint(tmp_path):
    with pytest.raises(FileNotFoundError, match='none.pth does not exist'):
        test(tmp_path, str(tmp_path / 'none.pth'))
