# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import socket

import pytest
from mmengine.config import Config
from shortcuts import plain_text
from torch import distributed


@pytest.fixture(scope='session', autouse=True)
def fast_checkpoints():
    """Spare the layout of the config's text, and waiting for the disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Config, 'pretty_text', property(plain_text))
        patch.setattr('os.fsync', lambda handle: None)
        yield


@pytest.fixture
def gloo(monkeypatch):
    """The variables of a launcher that started a single process."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    for key, value in dict(
            RANK='0', WORLD_SIZE='1', LOCAL_RANK='0', MASTER_ADDR='127.0.0.1',
            MASTER_PORT=str(port)).items():
        monkeypatch.setenv(key, value)
    yield
    if distributed.is_initialized():
        distributed.destroy_process_group()
