# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The configs and recipes of MCTformer, its rates and its rows."""

import math
import re
from copy import deepcopy
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmseg.registry import DATASETS, METRICS, MODELS, PARAM_SCHEDULERS, TRANSFORMS
from project_configs import ProjectConfigs
from torch.optim import SGD

from mmwsss.datasets.transforms.seeding import seed_everything
from mmwsss.recipes import Recipe
from mmwsss.utils import read_config
from projects.mctformer import EpochCosineLR

CONFIGS = ProjectConfigs('mctformer')
HEADS = dict(
    v1='MCTformerV1Head', v2='MCTformerV2Head', plus='MCTformerPlusHead')


@cache
def build(name):
    with torch.device('meta'):
        return MODELS.build(deepcopy(CONFIGS.load(name).model))


@pytest.mark.parametrize('name', CONFIGS.networks)
def test_config(name):
    cfg, model = CONFIGS.load(name), build(name)
    dataset = cfg.train_dataloader.dataset
    classes = dataset.get('classes') or (
        dataset.get('metainfo') or DATASETS.get(dataset.type).METAINFO)['classes']
    assert model.decode_head.num_classes == len(classes)
    for kind in ('train', 'val', 'test', 'seed'):
        loader = cfg.get(f'{kind}_dataloader')
        for step in loader.dataset.pipeline if loader else []:
            TRANSFORMS.build(step)
    for step in cfg.get('tta_pipeline', []):
        TRANSFORMS.build(step)
    for key in ('tta_model', 'walk_tta_model'):
        if key in cfg:
            MODELS.build(dict(cfg[key], module=model))
    for kind in ('val', 'test'):
        settings = cfg[f'{kind}_evaluator'] if cfg[f'{kind}_cfg'] else []
        for evaluator in settings if isinstance(settings, list) else [settings]:
            METRICS.build(deepcopy(evaluator))
    end = cfg.train_cfg.max_iters
    assert end <= cfg.param_scheduler.end <= end + 1
    wrapper = build_optim_wrapper(model, deepcopy(cfg.optim_wrapper))
    PARAM_SCHEDULERS.build(dict(cfg.param_scheduler, optimizer=wrapper))
    if 'mctformer_' in name:
        check_tokens(cfg, model, name, len(classes))


def check_tokens(cfg, model, name, classes):
    kind, = re.findall('mctformer_(v1|v2|plus)', name)
    assert type(model.decode_head).__name__ == HEADS[kind]
    assert type(model).__name__.startswith('FSAE') == name.startswith('fsae')
    assert model.backbone.num_tokens == classes - 1
    assert model.decode_head.in_channels == model.backbone.vit.embed_dim
    side = cfg.model.data_preprocessor.size[0]
    assert model.backbone.grid == (side // model.backbone.patch_size, ) * 2
    assert model.decode_head.attention_layers <= len(model.backbone.vit.blocks)
    assert cfg.model.decode_head.bg_thr == cfg.tta_model.bg_thr
    pipeline = cfg.train_dataloader.dataset.pipeline
    assert ('StrongView' in [step.type for step in pipeline]) == (
        name.startswith('fsae'))
    crops = [step.get('scale', step.get('crop_size')) for step in pipeline
             if 'Crop' in step.type]
    assert crops in ([side], [(side, side)])
    assert name.endswith('official') == (model.backbone.remainder == 'drop')
    if cfg.param_scheduler.type == 'EpochCosineLR':
        schedule = cfg.param_scheduler
        assert schedule.epochs * schedule.iters_per_epoch == cfg.train_cfg.max_iters


@pytest.mark.parametrize('name', CONFIGS.recipes)
def test_recipe(name, tmp_path):
    recipe = Recipe(CONFIGS.path(name), str(tmp_path))
    steps = {step.name: step.spec for step in recipe.steps}
    assert {'train_localizer', 'pseudo_labels', 'train_segmentor'} <= set(steps)
    localizer = Path(read_config(CONFIGS.path(name)).localizer).stem
    assert name == f'{localizer}_pipeline'
    assert ('train_affinity' in steps) == ('folder' not in name)
    assert recipe.protocol['supervision'].lower().startswith(('i (', 'image labels'))
    scales = recipe.protocol['scales']
    if 'deit' in name:
        assert scales.startswith('0.75' if 'plus' in name else '1 and flip')


@pytest.mark.parametrize('name, epochs, base', [
    ('mctformer_v2_deit-s_voc', 60, 6.25e-5),
    ('mctformer_plus_deit-s_voc', 45, 3.125e-5)])
def test_rates(name, epochs, base):
    """As timm's scheduler has them, step by step; its code sets them late."""
    def rates(name):
        cfg = CONFIGS.load(name)
        optimizer = SGD([torch.zeros(1, requires_grad=True)], lr=base)
        assert cfg.optim_wrapper.optimizer.lr == base
        schedule = PARAM_SCHEDULERS.build(
            dict(cfg.param_scheduler, optimizer=optimizer))
        per_epoch = []
        for _ in range(epochs):
            seen = set()
            for _ in range(cfg.param_scheduler.iters_per_epoch):
                seen.add(optimizer.param_groups[0]['lr'])
                schedule.step()
            rate, = seen
            per_epoch.append(rate)
        return per_epoch

    wanted = [1e-6 + e * (base - 1e-6) / 5 for e in range(5)] + [
        1e-5 + (base - 1e-5) * (1 + math.cos(math.pi * e / epochs)) / 2
        for e in range(5, epochs)]
    assert rates(name) == pytest.approx(wanted)
    assert rates(f'{name}_official') == pytest.approx([1e-6, *wanted[:-1]])


def test_a_warm_up_longer_than_the_training():
    with pytest.raises(ValueError, match='within 0 and epochs=3, got 5'):
        EpochCosineLR(SGD([torch.zeros(1, requires_grad=True)], lr=1.),
                      iters_per_epoch=2, epochs=3)


@pytest.mark.parametrize('name, more', [
    ('mctformer_v1_deit-s_voc', set()), ('mctformer_v2_deit-s_voc', set()),
    ('mctformer_plus_deit-s_voc', set()),
    # Two names that the authors' list does not know.
    ('mctformer_plus_deit-s_voc_official', {'class_position', 'patch_position'})])
def test_what_decays(name, more):
    model = build(name)
    wrapper = build_optim_wrapper(model, deepcopy(CONFIGS.load(name).optim_wrapper))
    names = {id(parameter): key for key, parameter in model.named_parameters()}
    decays = {
        names[id(parameter)]: group['weight_decay']
        for group in wrapper.optimizer.param_groups for parameter in group['params']
    }
    assert set(decays) == set(names.values())
    assert len(wrapper.optimizer.param_groups) == 2
    for key, parameter in model.named_parameters():
        leaf = key.rpartition('.')[2]
        expected = (parameter.ndim > 1 and not leaf.startswith(('class_', 'patch_'))
                    or leaf in more)
        assert decays[key] == (0.05 if expected else 0), key


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize('name, official, unread', [
    # The last normalisation, and V1's classifier.
    ('mctformer_v1_deit-s_voc', 21_687_956, 2 * 384 + 385 * 20),
    ('mctformer_v2_deit-s_voc', 21_749_396, 2 * 384),
    # And position embeddings of a grid of 14 and one token.
    ('mctformer_plus_deit-s_voc', 22_050_836, 2 * 384 + 197 * 384)])
def test_parameters(name, official, unread):
    assert count(build(name)) == official - unread


def test_parameters_of_the_segmentation():
    head = build('deeplabv1_wide-r38_voc').decode_head
    assert count(head) == 4096 * 512 * 9 + 512 + 512 * 21 * 9 + 21
    cfg = CONFIGS.load('deeplabv1_wide-r38_voc')
    groups = build_optim_wrapper(
        build('deeplabv1_wide-r38_voc'), cfg.optim_wrapper).optimizer.param_groups
    assert [(group['lr'], group['momentum'], group['weight_decay'],
             len(group['params'])) for group in groups] == [
        (7e-4, 1e-5, 0, 42), (pytest.approx(7e-3), 1e-5, 0, 4)]


@pytest.mark.parametrize('kind', ['deit', 'fsae'])
def test_views(kind):
    """A function of the place in the stream alone, in bytes and of one size."""
    cfg = CONFIGS.load('mctformer_v2_deit-s_voc')
    transforms = [TRANSFORMS.build(step) for step in cfg[f'{kind}_pipeline'][2:]]
    image = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)
    labels = np.array([1, 0, 1], np.uint8)

    def view(place):
        seed_everything(0, 0, place)
        results = dict(img=image.copy(), img_shape=(60, 90), ori_shape=(60, 90),
                       tags=labels)
        for transform in transforms:
            results = transform(results)
        return results['inputs'], results['data_samples']

    views = [view(place)[0] for place in range(6)]
    for place, seen in enumerate(views):
        inputs, sample = view(place)
        assert torch.equal(inputs, seen)
        assert inputs.shape == (3, 224, 224) and inputs.dtype == torch.uint8
        assert ('strong_img' in sample) == (kind == 'fsae')
        assert np.array_equal(sample.tags, labels)
    assert not any(torch.equal(views[0], other) for other in views[1:])
