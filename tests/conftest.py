# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import gc
import os

# Before torch and OpenCV are loaded: on small tensors threads only cost time.
os.environ['OMP_NUM_THREADS'] = '1'

import cv2  # noqa: E402
import pytest  # noqa: E402
import torch  # noqa: E402
from tool_runner import run_tool  # noqa: E402

from mmwsss.utils import project_path  # noqa: E402

torch.set_num_threads(1)
cv2.setNumThreads(0)
# A fork must not finalise what it inherits: threads that this waits for, such as
# those of a process group, are its parent's.
os.register_at_fork(after_in_child=gc.freeze)


@pytest.fixture(scope='session')
def voc_root(tmp_path_factory):
    """A VOC-layout folder of generated scenes: 8 to train on, 4 to test on.

    64 px wide, with masks, lists, ``image_labels.json`` and ``classes.txt``.
    Tests that change files must copy it.
    """
    root = tmp_path_factory.mktemp('voc_layout')
    run_tool('dataset_converters/make_demo_data', '--out', root, '--num-train', 8,
             '--num-val', 4, '--size', 64)
    return root


@pytest.fixture(autouse=True)
def mmseg_scope():
    """Make mmseg the default scope, as every config does."""
    from mmengine.registry import init_default_scope
    init_default_scope('mmseg')


@pytest.fixture
def find_package(monkeypatch):
    """Let tools import mmwsss where it is not installed."""
    root = os.path.dirname(project_path('tools'))
    paths = [root, *filter(None, [os.environ.get('PYTHONPATH')])]
    monkeypatch.setenv('PYTHONPATH', os.pathsep.join(paths))


def pytest_collection_modifyitems(items):
    """Begin with the tests that take minutes, so that no process is left alone
    with one at the end. End with those of Ray: a process in which it has been
    cannot be forked on Python 3.13."""
    slow = ('test_kills.py', 'test_disks.py', '_pipeline.py', '_pipelines.py')
    items.sort(key=lambda item: (item.path.name == 'test_ray_engine.py',
                                 not item.path.name.endswith(slow)))
