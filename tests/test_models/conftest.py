# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import pytest
from mmengine.registry import init_default_scope


@pytest.fixture(autouse=True)
def mmseg_scope():
    """Parts of mmseg are found by their plain names, as in a runner."""
    init_default_scope('mmseg')
