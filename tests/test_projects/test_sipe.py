# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The models, configs and converter of SIPE."""

import os.path as osp

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmseg.models import ResNet
from mmseg.registry import METRICS, MODELS, TRANSFORMS
from model_tester import (
    BACKBONE,
    NUM_CLASSES,
    PREPROCESSOR,
    WeakModelTester,
    make_batch,
    strong_batch,
)
from project_configs import ProjectConfigs

from mmwsss.engine.optimizers import WeakOptimWrapperConstructor
from mmwsss.models.tta import CAMTTAModel
from mmwsss.recipes import Recipe
from mmwsss.utils import read_config
from projects.sipe import SIPETTAModel, convert

CONFIGS = ProjectConfigs('sipe')
HEAD = dict(
    type='SIPEHead',
    in_channels=[4, 8, 16, 32],
    num_classes=NUM_CLASSES,
    side_channels=(3, 4, 5, 6))


def padded_batch(**options):
    batch = make_batch(**options)
    batch['data_samples'][0].set_metainfo(dict(valid_box=(0, 8, 32, 32)))
    return batch


class TestSIPE(WeakModelTester):
    batch = staticmethod(padded_batch)
    model_cfg = dict(
        type='WeakSegmentor',
        data_preprocessor=PREPROCESSOR,
        backbone=BACKBONE,
        decode_head=HEAD,
        test_cfg=dict(mode='whole'))

    def test_losses(self):
        _, logs = self.losses(self.build().train())
        assert set(logs) == {'loss', 'decode.loss_cls', 'decode.loss_gsc'}

    def test_who_learns_from_the_consistency(self):
        model = self.build().train()
        data = model.data_preprocessor(self.batch(), training=True)
        losses, _ = model.loss_and_class_maps(**data)
        losses['decode.loss_gsc'].backward()
        assert model.decode_head.classifier.weight.grad.any()
        assert model.backbone.layer4[0].downsample[0].weight.grad.any()
        # IS-CAM teaches the side convolutions, of which features are detached.
        for conv in model.decode_head.hierarchy.convs:
            assert conv.weight.grad.any()

    def test_features_learn_by_the_maps_alone(self):
        head = self.build().decode_head.train()
        levels = [torch.rand(2, c, 4, 4, requires_grad=True) for c in (4, 8, 16, 32)]
        answer = head(levels)
        samples = make_batch()['data_samples']
        head.loss_by_feat(answer, samples)['loss_gsc'].backward()
        assert [level.grad is not None for level in levels] == [False] * 3 + [True]

    def test_a_background_of_its_own(self):
        model = self.build().eval()
        with torch.no_grad():
            answer = model.class_maps(torch.rand(2, 3, 32, 32))
            result = model.test_step(make_batch())[0]
        assert answer.background is None
        assert answer.seed_background.shape == (2, 1, *answer.seed_maps.shape[2:])
        assert 0 <= answer.seed_scores.min() and answer.seed_scores.max() <= 1
        seed = result.full_seed
        assert torch.equal(result.pred_sem_seg.data[0], seed.to_mask().long())

    def test_only_shown_classes_take_pixels(self):
        """A class that the image lacks changes nothing, unless it may compete."""
        torch.manual_seed(0)
        levels = [torch.randn(1, c, 6, 6) for c in (4, 8, 16, 32)]
        shown = torch.tensor([[True, False, True]])
        for absent_compete in (False, True):
            head = MODELS.build(dict(HEAD, absent_compete=absent_compete)).eval()
            before = head.predicted_maps(head.answer(levels), shown)
            head.classifier.weight.data[1] *= -1
            after = head.predicted_maps(head.answer(levels), shown)
            assert torch.equal(before, after) != absent_compete
            assert not after[:, 2].any() and after[:, [0, 1]].any()

    def test_test_time_augmentation(self):
        """Tags choose the classes; without them their probabilities do."""
        model = self.build().eval()
        image = make_batch(num=1)['inputs'][0]
        for labels, expected in (([1, 0, 1, 1], [2, 3]), (None, [1])):
            inputs, samples = [], []
            for flip in (False, True):
                inputs.append([image.flip(-1) if flip else image])
                sample = make_batch(num=1)['data_samples'][0]
                sample.set_metainfo(dict(
                    flip=flip, flip_direction='horizontal', ori_shape=(32, 32)))
                if labels is None:
                    del sample.tags
                else:
                    sample.set_metainfo(dict(tags=np.array(labels)))
                samples.append([sample])
            with torch.no_grad():
                probabilities = model.class_maps(model.data_preprocessor(
                    dict(inputs=[image]))['inputs']).logits.sigmoid()
            merge = SIPETTAModel(model)
            assert merge.score_thr == 0.5
            merge.score_thr = 0.999 * probabilities.max().item()
            expected = expected if labels else [probabilities.argmax().item() + 1]
            result, = merge.test_step(dict(inputs=inputs, data_samples=samples))
            assert result.full_seed.labels.tolist() == expected
            # The background is divided by its maximum, as the classes are.
            for seed in (result.seed, result.full_seed):
                maps = torch.cat([seed.background[None], seed.scores])
                shown = maps.amax((1, 2))[maps.amax((1, 2)) > 0]
                torch.testing.assert_close(
                    shown, torch.ones_like(shown), atol=1e-4, rtol=0)
        # One that knows nothing of prototypes merges IS-CAM of each view.
        result, = CAMTTAModel(model).test_step(
            dict(inputs=inputs, data_samples=samples))
        assert result.full_seed.background is not None
        with pytest.raises(ValueError, match='SIPETTAModel has no min_max'):
            SIPETTAModel(model, min_max=True)


class TestSIPEAsPublished(TestSIPE):
    model_cfg = dict(
        TestSIPE.model_cfg,
        decode_head=dict(HEAD, absent_compete=True, count_padding=True))


class TestSIPEWithOtherSeeds(TestSIPE):
    model_cfg = dict(
        TestSIPE.model_cfg,
        decode_head=dict(
            HEAD, train_seed_features='hierarchical', test_seed_features='deep'))


class TestFSAE(WeakModelTester):
    batch = staticmethod(strong_batch)
    model_cfg = dict(
        TestSIPE.model_cfg,
        type='FSAE',
        loss_fsae=dict(type='FSAELoss', threshold=0.4, ring_threshold=0.35))

    def test_losses(self):
        _, logs = self.losses(self.build().train())
        assert {'decode.loss_gsc', 'loss_fsae', 'fsae.covered'} <= set(logs)


def build(cfg):
    with torch.device('meta'):
        return MODELS.build(cfg.model)


@pytest.mark.parametrize('name', CONFIGS.networks)
def test_config(name):
    cfg = CONFIGS.load(name)
    model = build(cfg)
    steps = [step.type for step in cfg.train_dataloader.dataset.pipeline]
    for step in cfg.train_dataloader.dataset.pipeline:
        TRANSFORMS.build(step)
    classes = cfg.model.decode_head.num_classes
    if name.startswith('deeplab'):
        assert model.decode_head.conv_seg.out_channels == classes
        assert classes == (81 if 'coco' in name else 21)
        return
    assert model.decode_head.classifier.out_channels == classes - 1
    assert ('StrongView' in steps) == name.startswith('fsae')
    assert type(model).__name__.startswith('FSAE') == name.startswith('fsae')
    assert cfg.tta_model.type == 'SIPETTAModel'
    assert METRICS.build(cfg.val_evaluator).own_background
    assert cfg.val_evaluator == cfg.test_evaluator
    assert cfg.val_evaluator.protocol.supervision == 'I'
    assert cfg.optim_wrapper.clip_grad.max_norm == 1
    assert cfg.param_scheduler.end == cfg.train_cfg.max_iters + 1
    assert MODELS.build(cfg.label_rule).background_factor == 0.5
    with torch.device('meta'):
        levels = model.backbone(torch.empty(1, 3, 64, 64, device='meta'))
    for i, channels in zip(
            cfg.model.decode_head.get('in_index', range(4)),
            cfg.model.decode_head.in_channels, strict=True):
        assert levels[i].shape[1] == channels


@pytest.mark.parametrize('name', CONFIGS.recipes)
def test_recipe(name, tmp_path):
    recipe = Recipe(CONFIGS.path(name), str(tmp_path))
    given = Config.fromfile(CONFIGS.path(name))
    steps = {step.name: step.spec for step in recipe.steps}
    kinds = {step.name: step.type for step in recipe.steps}
    assert recipe.protocol['threshold'].startswith('none')
    assert ('fsae' in osp.basename(given.localizer)) == name.startswith('fsae')
    assert osp.exists(given.localizer) and osp.exists(given.segmentor)
    labels = steps['pseudo_labels']
    assert labels.get('bg_thr') is None
    if 'coco' in name:
        assert kinds['pseudo_labels'] == 'seeds' and labels['refiner'] == 'config'
        return
    assert steps['affinity_labels']['refiner'] == 'config'
    assert kinds['pseudo_labels'] == 'walk'
    options = dict(classes=['owl', 'fox']) if 'folder' in name else {}
    cfg = read_config(given.irn, {**options, **labels['cfg_options']})
    rule = MODELS.build(cfg.walk)
    assert rule.own_background and rule.bg_thr is None
    assert rule.refiner.power == 1.5 and rule.refiner.has_background


def test_schedules():
    voc, coco = CONFIGS.load('sipe_r50_voc'), CONFIGS.load('sipe_r50_coco')
    assert voc.train_cfg.max_iters == 5 * (10582 // 16)
    assert coco.train_cfg.max_iters == 5 * (82081 // 16)
    assert coco.train_dataloader.dataset.ann_file == 'lists/train2014_labeled.txt'
    fsae = CONFIGS.load('fsae_sipe_r50_voc')
    assert fsae.train_cfg.max_iters == 10 * (10582 // 16)
    assert fsae.optim_wrapper.optimizer.lr == 0.05
    assert 'custom_hooks' not in CONFIGS.load('fsae_sipe_r50_coco')


def test_fingerprints():
    """Parameters and groups; the published groups hold frozen ones, too."""
    cfg = CONFIGS.load('sipe_r50_voc')
    model = build(cfg)
    assert sum(p.numel() for p in model.parameters()) == 24_433_728
    options = dict(cfg.optim_wrapper)
    options.pop('constructor')
    made = WeakOptimWrapperConstructor(options, options.pop('paramwise_cfg'))(model)
    assert made.clip_grad_kwargs == dict(max_norm=1)
    assert [(group['lr'], group['weight_decay'], group['momentum'],
             len(group['params']), sum(p.numel() for p in group['params']))
            for group in made.optimizer.param_groups] == [
        (0.1, 1e-4, 1e-4, 87, 22_063_104), (1., 1e-4, 1e-4, 5, 925_696)]


def official(classes=20):
    """Keys and shapes of a published checkpoint, by those of the ResNet here."""
    with torch.device('meta'):
        trunk = ResNet(50).state_dict()
    state = {f'resnet50.{key}': torch.zeros(value.shape)
             for key, value in trunk.items()}
    for key, value in trunk.items():
        if key.startswith('layer'):
            stage = f'stage{key[5]}.0{key[6:]}'
        else:
            stage = f'stage0.{dict(conv1=0, bn1=1)[key[:key.index(".")]]}' + (
                key[key.index('.'):])
        for name in (stage, stage.replace('stage', 'backbone.')):
            state[name] = torch.zeros(value.shape)
    added = [torch.full((classes, 2048, 1, 1), 5.)] + [
        torch.full((width, channels, 1, 1), float(i)) for i, (channels, width) in
        enumerate(zip((256, 512, 1024, 2048), (128, 128, 256, 256), strict=True))]
    names = ['classifier', 'side1', 'side2', 'side3', 'side4']
    for i, (name, value) in enumerate(zip(names, added, strict=True)):
        state[f'{name}.weight'] = state[f'newly_added.{i}.weight'] = value
    return state


@pytest.mark.parametrize('classes, name', [
    (20, 'sipe_r50_voc'), (80, 'sipe_r50_coco'), (2, 'sipe_r50_folder')])
def test_converter(classes, name):
    state = official(classes)
    assert len(state) == 964
    converted = convert.convert({f'module.{k}': v for k, v in state.items()})
    assert converted['decode_head.classifier.weight'].eq(5).all()
    for i in range(4):
        assert converted[f'decode_head.hierarchy.convs.{i}.weight'].eq(i).all()
    model = build(CONFIGS.load(name))
    assert {k: v.shape for k, v in model.state_dict().items()} == {
        k: v.shape for k, v in converted.items()}


def test_converter_is_strict():
    state = official()
    for change, words in (
            ({'side3.weight': None, 'newly_added.3.weight': None},
             r'no source for .*convs.2.weight'),
            ({'resnet50.layer4.3.conv1.weight': torch.zeros(1)},
             'no use for .*layer4.3'),
            ({'side5.weight': torch.zeros(1)}, 'no use for .*side5.weight'),
            ({'resnet50.fc.bias': torch.zeros(1)}, 'no use for .*fc.bias'),
            ({'stage3.0.0.bn1.bias': torch.ones(256)},
             'stage3.0.0.bn1.bias differs from a copy'),
            ({'side1.weight': torch.zeros(128, 64, 1, 1),
              'newly_added.1.weight': torch.zeros(128, 64, 1, 1)},
             'another shape of .*convs.0')):
        changed = {**state, **change}
        changed = {k: v for k, v in changed.items() if v is not None}
        with pytest.raises(ValueError, match=words):
            convert.convert(changed)
    with pytest.raises(ValueError, match='classifier.weight is missing'):
        convert.convert({'fc8.weight': torch.zeros(1)})


def test_converter_reads_files(tmp_path, capsys):
    source, out = str(tmp_path / 'final.pth'), str(tmp_path / 'out.pth')
    args = convert.argparse.Namespace(src=source, dst=out)
    torch.save(dict(net=official()), source)
    convert.main(args)
    assert 'wrote' in capsys.readouterr().out
    written = torch.load(out, weights_only=True)
    build(CONFIGS.load('sipe_r50_voc')).load_state_dict(
        written['state_dict'], strict=True, assign=True)
    for content, words in ((dict(net=[1]), 'final.pth holds a list, expected'),
                           (dict(net=dict(a=1)), "final.pth: 'a' is a int"),
                           (dict(net=dict(a=torch.zeros(1))),
                            'final.pth: no checkpoint of SIPE')):
        torch.save(content, source)
        with pytest.raises(ValueError, match=words):
            convert.main(args)
