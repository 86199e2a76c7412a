# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import logging

import pytest
from mmseg.registry import TRANSFORMS

from mmwsss.datasets.transforms import SetRandomState
from mmwsss.utils import read_config, renamed
from mmwsss.utils.renamed import rename_variables, renamed_arguments


@pytest.fixture(autouse=True)
def said(monkeypatch):
    """The warnings, a line each; nothing has been said before."""
    lines = []

    def print_log(text, logger=None, level=logging.INFO):
        if level == logging.WARNING:
            lines.append(text)

    monkeypatch.setattr('mmengine.logging.print_log', print_log)
    renamed.warn_renamed.cache_clear()
    return lines


def test_a_part_is_built_by_its_old_type(said):
    for _ in range(2):
        assert type(TRANSFORMS.build(dict(type='SeedAugmentation'))) is SetRandomState
    line, = said
    assert 'SeedAugmentation is called SetRandomState now' in line
    TRANSFORMS.build(dict(type='SetRandomState'))
    assert len(said) == 1


def test_every_old_type_has_a_new_one():
    import mmseg.registry
    for registry, names in renamed.PARTS.items():
        for new in names.values():
            assert getattr(mmseg.registry, registry).get(new) is not None


def test_arguments(said):

    class Part:

        @renamed_arguments(bg_score='bg_thr')
        def __init__(self, bg_thr=0.1):
            self.bg_thr = bg_thr

    assert [Part().bg_thr, Part(0.2).bg_thr, Part(bg_thr=0.3).bg_thr] == [0.1, 0.2, 0.3]
    assert not said
    # The user's config says the old name, ours that it inherits the new one.
    assert [Part(bg_score=0.4).bg_thr, Part(bg_thr=0.3, bg_score=0.5).bg_thr] == [
        0.4, 0.5]
    assert len(said) == 1
    with pytest.raises(TypeError, match='other'):
        Part(other=1)


def test_variables(tmp_path, monkeypatch, said):
    monkeypatch.setitem(renamed.VARIABLES, 'old', 'new')
    (tmp_path / 'base.py').write_text('new = dict(a=1, b=2)')
    path = tmp_path / 'user.py'
    path.write_text("_base_ = 'base.py'\nold = dict(b=3)")
    cfg = read_config(path)
    assert cfg.new == dict(a=1, b=3) and 'old' not in cfg
    assert read_config(tmp_path / 'base.py', {'old.a': 5}).new == dict(a=5, b=2)
    assert len(said) == 1
    rename_variables(cfg, dict(new='newer'))
    assert cfg.newer == dict(a=1, b=3)
