# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import ast
import math
import os.path as osp
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from mmseg.registry import MODELS
from model_tester import (
    BACKBONE,
    NUM_CLASSES,
    PREPROCESSOR,
    WeakModelTester,
    make_batch,
)

from mmwsss.apis import WSSSInferencer
from mmwsss.engine import setup_entry_point
from mmwsss.models.tta import CAMTTAModel
from projects.example_method.recam_head import ReCAMHead

ROOT = Path(__file__).parents[2]
HEAD = dict(type='ReCAMHead', in_channels=32, num_classes=NUM_CLASSES)


class TestReCAM(WeakModelTester):
    model_cfg = dict(
        type='WeakSegmentor',
        data_preprocessor=PREPROCESSOR,
        backbone=BACKBONE,
        decode_head=HEAD,
        test_cfg=dict(mode='whole'))

    def test_probabilities_are_those_of_the_trained_maps(self):
        """Seeds of other maps do not change what the model says of classes."""
        model = self.build().eval()
        batch = make_batch()
        with torch.no_grad():
            class_maps = model.class_maps(
                model.data_preprocessor(batch)['inputs'])
            results = model.test_step(batch)
            model.decode_head.recam.weight *= 100
            others = model.test_step(batch)
        assert not torch.equal(class_maps.seed_maps, class_maps.maps)
        for result, other, logits in zip(
                results, others, class_maps.maps.mean((2, 3)), strict=True):
            torch.testing.assert_close(
                result.pred_label_scores, logits.sigmoid())
            assert torch.equal(result.pred_label_scores, other.pred_label_scores)
        image, sample = batch['inputs'][:1], batch['data_samples'][:1]
        merged, = CAMTTAModel(model).test_step(
            dict(inputs=[image], data_samples=[sample]))
        torch.testing.assert_close(
            merged.pred_label_scores, results[0].pred_label_scores)

    def test_prediction_by_the_head_alone(self):
        """mmseg's segmentor, which calls ``predict``, agrees with ours."""
        model = self.build().eval()
        data = model.data_preprocessor(make_batch())
        metas = [sample.metainfo for sample in data['data_samples']]
        with torch.no_grad():
            feats = model.extract_feat(data['inputs'])
            torch.testing.assert_close(
                model.decode_head.predict(feats, metas, {}),
                model.decode_head.predict_by_feat(
                    model.class_maps(data['inputs']), metas))

    def test_labels_follow_the_head(self):
        head = MODELS.build(HEAD).to('meta')
        samples = make_batch()['data_samples']
        assert head.tags(samples).device.type == 'meta'


def test_loss_against_naive():
    torch.manual_seed(0)
    head = ReCAMHead(in_channels=8, num_classes=NUM_CLASSES, recam_weight=2.)
    with torch.no_grad():
        head.classifier.weight.abs_()
    feat = torch.rand(2, 8, 4, 5)
    samples = make_batch()['data_samples']
    labels = np.array([1, 1, 0, 1], np.uint8)
    samples[1].set_metainfo(dict(tags=labels))
    class_maps = head((feat, ))
    losses = head.loss_by_feat(class_maps, samples)
    terms = []
    for n, sample in enumerate(samples):
        for k in range(NUM_CLASSES - 1):
            if not sample.tags[k + 1]:
                continue
            cam = class_maps.maps[n, k].clamp(min=0)
            cam = cam / (cam.max() + 1e-5)
            pooled = sum(
                cam[y, x] * feat[n, :, y, x] for y in range(4)
                for x in range(5)) / 20
            scores = [pooled @ head.recam.weight[c, :, 0, 0] for c in range(3)]
            terms.append(sum(s.exp() for s in scores).log() - scores[k])
    assert len(terms) == 3
    torch.testing.assert_close(losses['loss_recam'], 2 * sum(terms) / 3)
    seeds = class_maps.seed_maps[0, :, 1, 2]
    weight = (head.classifier.weight * head.recam.weight)[:, :, 0, 0]
    torch.testing.assert_close(seeds, weight @ feat[0, :, 1, 2])


def test_images_without_tags():
    head = ReCAMHead(in_channels=8, num_classes=NUM_CLASSES)
    samples = make_batch()['data_samples']
    for sample in samples:
        sample.set_metainfo(dict(tags=np.array([1, 0, 0, 0])))
    losses = head.loss_by_feat(head((torch.rand(2, 8, 4, 5), )), samples)
    assert losses['loss_recam'] == 0
    losses['loss_recam'].backward()
    assert head.recam.weight.grad is not None


def test_the_page_shows_the_code():
    """docs/en/new_method.md has the module, without docstrings."""
    page = open(osp.join(ROOT, 'docs/en/new_method.md'), encoding='utf-8').read()
    block = page.split('```python\n')[1].split('```')[0]
    path = osp.join(ROOT, 'projects/example_method/recam_head.py')
    source = open(path, encoding='utf-8').read()
    assert len(source.splitlines()) <= 60
    module = ast.parse(source)
    for node in ast.walk(module):
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
                node):
            del node.body[0]
    assert ast.dump(module) == ast.dump(ast.parse(block))


def test_the_page_shows_the_test():
    page = open(osp.join(ROOT, 'docs/en/new_method.md'), encoding='utf-8').read()
    shown: dict = {}
    exec(page.split('```python\n')[3].split('```')[0], shown)  # noqa: S102
    assert shown['TestReCAM'].model_cfg == TestReCAM.model_cfg


def test_config_trains_validates_and_predicts(voc_root, tmp_path):
    config = osp.join(ROOT, 'projects/example_method/configs/recam_demo.py')
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
    assert isinstance(runner.model.decode_head, ReCAMHead)
    assert not torch.equal(before, runner.model.decode_head.classifier.weight)
    losses = runner.message_hub.get_scalar('train/loss').data[0]
    assert len(losses) == 4 and all(math.isfinite(loss) for loss in losses)
    assert any('mIoU' in key for key in runner.message_hub.log_scalars)

    checkpoint = osp.join(str(tmp_path), 'iter_4.pth')
    inferencer = WSSSInferencer(config, checkpoint, device='cpu', tta=True)
    image = sorted((voc_root / 'JPEGImages').iterdir())[0]
    result = inferencer(image, tags=[inferencer.classes[1]])
    assert result['mask'].shape == result['overlay'].shape[:2]
    assert list(result['cams']) == [inferencer.classes[1]]


def test_configs_differ_from_their_base_by_the_head_alone():
    for name, base in (('recam_demo', 'cam_demo'), ('recam_r50_voc', 'cam_r50_voc')):
        ours = Config.fromfile(
            osp.join(ROOT, f'projects/example_method/configs/{name}.py'))
        theirs = Config.fromfile(osp.join(ROOT, f'configs/cam/{base}.py'))
        ours, theirs = ours.to_dict(), theirs.to_dict()
        assert ours['model']['decode_head'].pop('type') == 'ReCAMHead'
        assert ours['model']['decode_head'].pop('recam_weight') == 1.
        theirs['model']['decode_head'].pop('type')
        assert ours.pop('custom_imports') != theirs.pop('custom_imports')
        assert ours == theirs
