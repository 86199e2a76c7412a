# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Ray on several simulated nodes: what is lost is made again, and the same."""

import logging
import os
import re
import threading
import time
from dataclasses import replace

import psutil
import pytest
import yaml
from labelling_setting import make_setting, rows_of

from mmwsss.apis import label_photos
from mmwsss.apis.labelling.ray_engine import check_nodes
from mmwsss.shards import ShardRow, write_shard
from mmwsss.utils import project_path

ray = pytest.importorskip('ray', reason='Ray is an optional extra')
pytest.importorskip('ray.data')
pytest.importorskip('pyarrow')
cluster_utils = pytest.importorskip('ray.cluster_utils')

IMAGES = 240
WITHOUT_MMWSSS = """
import sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] == 'mmwsss':
            raise ImportError('not here')
sys.meta_path.insert(0, Finder())
"""


@pytest.fixture
def cluster(monkeypatch):
    """A head without room for actors, and two nodes with room for one each."""
    monkeypatch.setenv('RAY_USAGE_STATS_ENABLED', '0')
    monkeypatch.setenv('OMP_NUM_THREADS', '1')
    store = dict(object_store_memory=80 << 20)
    cluster = cluster_utils.Cluster(
        initialize_head=True,
        head_node_args=dict(num_cpus=0, include_dashboard=False, **store))
    nodes = [cluster.add_node(num_cpus=1, **store) for _ in range(2)]
    try:
        ray.init(address=cluster.address, log_to_driver=False,
                 logging_level=logging.WARNING)
        yield cluster, nodes
    finally:
        ray.shutdown()
        cluster.shutdown()


def actor_of(node):
    """The process of the actor that labels on a node, once it does."""
    raylet = node.all_processes['raylet'][0].process.pid
    return next((child for child in psutil.Process(raylet).children(recursive=True)
                 if any('RayLabelParts' in part for part in child.cmdline())), None)


def test_a_node_and_an_actor_are_lost(voc_root, tmp_path, cluster):
    cluster, nodes = cluster
    setting = make_setting(tmp_path, voc_root)
    images = [(voc_root / 'JPEGImages' / f'{name}.jpg').read_bytes()
              for name in setting['ids']]
    write_shard(str(tmp_path / 'in.parquet'), [
        ShardRow(f'{i:04}', image=images[i % 8],
                 tags=setting['names'][setting['ids'][i % 8]]) for i in range(IMAGES)])
    out, done = tmp_path / 'ray', []

    def label():
        done.append(label_photos(
            setting['config'], setting['checkpoint'], str(tmp_path / 'in.parquet'),
            str(out), images_per_shard=4, device='cpu', show_progress=False,
            engine='ray', workers=2))

    thread = threading.Thread(target=label)
    thread.start()
    try:
        wait_for(lambda: len(list(out.glob('.parts/part*'))) > 2
                 and all(map(actor_of, nodes)))
        actor_of(nodes[0]).kill()
        cluster.remove_node(nodes[1], allow_graceful=False)
        made = len(list(out.glob('.parts/part*')))
        assert made < IMAGES // 4, 'the run was over before anything was lost'
    finally:
        thread.join(300)
    assert done and done[0]['labelled'] == IMAGES and not done[0]['errors']
    rows = rows_of(out)
    assert len(rows) == IMAGES
    label_photos(
        setting['config'], setting['checkpoint'], setting['inputs'],
        str(tmp_path / 'plain'), setting['tags'], device='cpu', show_progress=False)
    expected = rows_of(tmp_path / 'plain')
    for i in range(IMAGES):
        row = expected[setting['ids'][i % 8]]
        assert rows[f'{i:04}'] == replace(row, id=f'{i:04}', path=None)

    # A cluster whose nodes have no mmwsss of ours.
    (tmp_path / 'sitecustomize.py').write_text(WITHOUT_MMWSSS)
    remote = ray.remote

    def elsewhere(**options):
        return remote(runtime_env=dict(env_vars=dict(PYTHONPATH=str(tmp_path))),
                      **options)

    class Ray:
        nodes, get, remote = staticmethod(ray.nodes), ray.get, staticmethod(elsewhere)

    with pytest.raises(OSError, match='does not have mmwsss .*not here.*on every node'):
        check_nodes(Ray)


def test_the_cluster_of_the_docs():
    """ray up would take it; the cluster itself needs a cloud."""
    autoscaler = pytest.importorskip('ray.autoscaler._private.util')
    page = os.path.join(os.path.dirname(project_path('tools')), 'docs/en/scale.md')
    with open(page, encoding='utf-8') as file:
        text = re.search(r'```yaml\n(.*?)```', file.read(), re.DOTALL)[1]
    config = autoscaler.prepare_config(yaml.safe_load(text))
    autoscaler.validate_config(config)
    del config['available_node_types']['gpu']['resources']
    with pytest.raises(Exception, match="'resources' is a required"):
        autoscaler.validate_config(config)


def wait_for(condition, seconds=240):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(.05)


def test_a_cluster_that_is_not_there(voc_root, tmp_path, monkeypatch):
    setting = make_setting(tmp_path, voc_root)
    monkeypatch.setenv('RAY_ADDRESS', '127.0.0.1:1')
    with pytest.raises(ConnectionError, match='cannot reach the cluster 127.0.0.1:1'):
        label_photos(setting['config'], setting['checkpoint'], setting['inputs'],
                     str(tmp_path / 'out'), setting['tags'], engine='ray')
