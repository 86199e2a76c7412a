# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Two processes with half a batch each train as one with all of it."""

import pytest
import torch
from mmengine.dist import all_reduce, get_rank
from tiny_training import demo_config, in_two_processes, train

from mmwsss.engine import load_checkpoint_file

SGD = dict(_delete_=True, type='SGD', lr=0.02, momentum=0.9)
MASKS = 'SegmentationClass'
METHODS = {
    # The masks stand in for labels of seeds, and for saliency.
    'irn/irn_demo': {
        'model.backbone.stem_channels': 8,
        'model.decode_head.in_channels': (8, 8, 16, 32),
        'model.auxiliary_head.in_channels': (8, 8, 16, 32),
        'train_dataloader.dataset.data_prefix.seg_map_path': MASKS,
    },
    'psa/psa_demo': {
        'model.backbone.stem_channels': 8,
        'model.decode_head.in_channels': (8, 16, 32),
        'train_dataloader.dataset.data_prefix.seg_map_path': MASKS,
    },
    'seam/seam_demo': {
        'model.backbone.stem_channels': 8,
        'model.decode_head.in_channels': (8, 16, 32),
    },
    'sance/sance_demo': {
        'model.backbone.stem_channels': 8,
        'model.decode_head.in_channels': (8, 8, 16, 32),
        'model.auxiliary_head.in_channels': 32,
        'model.refine_by': 'saliency',
        'model.start_iter': 0,
        'model.saliency_thr': 0.01,
        'train_dataloader.dataset.data_prefix': dict(
            img_path='JPEGImages', seg_map_path=MASKS, saliency_path=MASKS),
    },
}


def method_config(name, voc_root, work_dir, batch_size=4, **options):
    """Four iterations of one of the methods."""
    cfg = demo_config(
        voc_root, work_dir, name, batch_size, **{**METHODS[name], **options})
    if 'saliency_path' in cfg.train_dataloader.dataset.data_prefix:
        cfg.train_dataloader.dataset.pipeline.insert(
            3, dict(type='LoadSaliency'))
    return cfg


@pytest.mark.parametrize('name', METHODS)
def test_two_processes_equal_one(voc_root, tmp_path, name):

    def config(folder, batch_size):
        return method_config(
            name, voc_root, tmp_path / folder, batch_size,
            **{'optim_wrapper.optimizer': SGD})

    def run():
        _, recorder = train(config('two', 2), 'pytorch')
        mine = torch.tensor(list(recorder.losses.values()))
        mean = mine.clone()
        all_reduce(mean, op='mean')
        assert not torch.equal(mine, mean)
        if get_rank() == 0:
            torch.save(mean, tmp_path / 'losses.pth')

    in_two_processes(run)
    runner, recorder = train(config('one', 4))
    torch.testing.assert_close(
        torch.load(tmp_path / 'losses.pth'),
        torch.tensor(list(recorder.losses.values())), rtol=1e-4, atol=1e-5)
    state = load_checkpoint_file(tmp_path / 'two' / 'iter_4.pth')['state_dict']
    for key, value in runner.model.state_dict().items():
        torch.testing.assert_close(state[key], value, rtol=1e-3, atol=1e-5)
