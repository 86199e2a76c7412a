# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import math
import os.path as osp
import sys

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

ROOT = osp.dirname(osp.dirname(osp.dirname(osp.abspath(__file__))))
# As a user's PYTHONPATH, and for the common tester of models.
for folder in (ROOT, osp.join(ROOT, 'tests', 'test_models')):
    if folder not in sys.path:
        sys.path.append(folder)

from model_tester import BACKBONE, NUM_CLASSES, PREPROCESSOR, WeakModelTester  # noqa: E402

from mmwsss.apis import WSSSInferencer  # noqa: E402
from mmwsss.engine import setup_entry_point  # noqa: E402
from projects.example_method.lse_head import LSEHead  # noqa: E402


class TestLSE(WeakModelTester):
    model_cfg = dict(
        type='WeakSegmentor',
        data_preprocessor=PREPROCESSOR,
        backbone=BACKBONE,
        decode_head=dict(
            type='LSEHead', in_channels=32, num_classes=NUM_CLASSES),
        test_cfg=dict(mode='whole'))


def test_pooling_against_naive():
    torch.manual_seed(0)
    maps = torch.randn(2, 3, 4, 5)
    head = LSEHead(in_channels=8, num_classes=4, sharpness=2.5)
    for n in range(2):
        for c in range(3):
            terms = [math.exp(2.5 * v) for v in maps[n, c].flatten().tolist()]
            expected = math.log(sum(terms) / len(terms)) / 2.5
            assert head.pool(maps)[n, c].item() == pytest.approx(expected, abs=1e-5)


def test_pooling_lies_between_mean_and_maximum():
    maps = torch.randn(2, 3, 6, 6)
    mean, top = maps.mean((2, 3)), maps.amax((2, 3))
    pooled = LSEHead(in_channels=8, num_classes=4).pool(maps)
    assert (mean < pooled).all() and (pooled < top).all()
    soft = LSEHead(in_channels=8, num_classes=4, sharpness=1e-3).pool(maps)
    torch.testing.assert_close(soft, mean, atol=1e-2, rtol=0)
    hard = LSEHead(in_channels=8, num_classes=4, sharpness=1e3).pool(maps)
    torch.testing.assert_close(hard, top, atol=1e-2, rtol=0)
    half = LSEHead(in_channels=8, num_classes=4, sharpness=1e3).pool(maps.half())
    assert half.isfinite().all()


def test_sharpness_must_be_positive():
    with pytest.raises(ValueError, match='sharpness.*-1'):
        LSEHead(in_channels=8, num_classes=4, sharpness=-1)


def test_config_trains_validates_and_predicts(voc_root, tmp_path):
    config = osp.join(ROOT, 'projects/example_method/configs/lse_demo.py')
    cfg = Config.fromfile(config)
    cfg.work_dir = str(tmp_path)
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        cfg[name].num_workers = 0
        cfg[name].persistent_workers = False
        cfg[name].dataset.data_root = str(voc_root)
    cfg.train_dataloader.batch_size = 4
    cfg.train_cfg.update(max_iters=4, val_interval=4)
    cfg.default_hooks = dict(
        cfg.get('default_hooks', {}),
        logger=dict(type='LoggerHook', interval=1, log_metric_by_epoch=False),
        checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=4))
    cfg.experiment_name = 'test_example_method'
    setup_entry_point(cfg)
    runner = Runner.from_cfg(cfg)
    before = runner.model.decode_head.classifier.weight.detach().clone()
    runner.train()
    assert isinstance(runner.model.decode_head, LSEHead)
    assert not torch.equal(before, runner.model.decode_head.classifier.weight)
    losses = runner.message_hub.get_scalar('train/loss').data[0]
    assert len(losses) == 4 and all(math.isfinite(loss) for loss in losses)
    assert any('mIoU' in key for key in runner.message_hub.log_scalars)

    checkpoint = osp.join(str(tmp_path), 'iter_4.pth')
    inferencer = WSSSInferencer(config, checkpoint, device='cpu', tta=True)
    photo = sorted((voc_root / 'JPEGImages').iterdir())[0]
    result = inferencer(photo, tags=[inferencer.classes[1]])
    assert result['mask'].shape == result['overlay'].shape[:2]
    assert list(result['cams']) == [inferencer.classes[1]]


def test_configs_differ_from_their_base_by_the_head_alone():
    for name, base in (('lse_demo', 'cam_demo'), ('lse_r50_voc', 'cam_r50_voc')):
        ours = Config.fromfile(
            osp.join(ROOT, f'projects/example_method/configs/{name}.py'))
        theirs = Config.fromfile(osp.join(ROOT, f'configs/cam/{base}.py'))
        ours, theirs = ours.to_dict(), theirs.to_dict()
        assert ours['model']['decode_head'].pop('type') == 'LSEHead'
        assert ours['model']['decode_head'].pop('sharpness') == 4.
        theirs['model']['decode_head'].pop('type')
        assert ours.pop('custom_imports') != theirs.pop('custom_imports')
        assert ours == theirs
