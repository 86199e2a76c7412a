# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Every config loads and builds, and says what was published."""

import json
import re
from copy import deepcopy
from functools import cache, reduce
from math import prod
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import yaml
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmseg.apis import MMSegInferencer
from mmseg.apis.utils import _preprare_data
from mmseg.registry import (
    DATA_SAMPLERS,
    DATASETS,
    HOOKS,
    METRICS,
    MODELS,
    PARAM_SCHEDULERS,
    TRANSFORMS,
)
from PIL import Image

import mmwsss  # noqa: F401
from mmwsss.recipes import Recipe
from mmwsss.recipes.step_types import STEP_TYPES
from mmwsss.utils import project_path, read_config
from mmwsss.utils.epochs import resolve_epochs

ROOT = Path(project_path('configs'))
ALL = sorted(
    str(path.relative_to(ROOT)) for path in ROOT.rglob('*.py')
    if '_base_' not in path.parts)
RECIPES = [name for name in ALL if name.endswith('_pipeline.py')]
CONFIGS = [name for name in ALL if name not in RECIPES]
# Losses of these see pixel labels: pseudo labels, or those of seeds.
PIXEL_LABELS = (
    'deeplab/', 'irn/', 'psa/psa', 'sance/sance', 'sance/ablations/',
    'self_training/self_training_deeplabv2')


@cache
def load(name: str) -> Config:
    init_default_scope('mmseg')
    options = dict(classes=['owl', 'fox']) if '_folder' in name else {}
    return read_config(str(ROOT / name), options)


def build(cfg: Config):
    """The model, of tensors without storage: no weights are drawn or loaded."""
    model = deepcopy(cfg.model)
    if model.backbone.get('pretrained'):
        model.backbone.pretrained = False
    with torch.device('meta'):
        return MODELS.build(model)


def at(node, path: str):
    """What lies at a dotted path of keys, indices and attributes."""

    def step(node, key):
        if node is None or isinstance(node, dict):
            return (node or {}).get(key)
        return node[int(key)] if key.isdigit() else getattr(node, key)

    return reduce(step, path.split('.'), node)


def transforms(loader) -> list:
    return loader.dataset.pipeline if loader else []


def listed(value) -> list:
    return value if isinstance(value, list) else [value] if value else []


@pytest.mark.parametrize('name', CONFIGS)
def test_config(name):
    cfg = load(name)
    assert 'mmwsss' in cfg.custom_imports.imports
    model = build(cfg)
    # Boundaries have no classes.
    if not name.startswith('irn/'):
        check_classes(cfg, model)
    check_loaders(cfg, name)
    check_what_is_seen(cfg, model, name)
    check_schedule(cfg, model, name)
    check_tests(cfg, model)


def check_classes(cfg, model):
    """What the data set holds, the model tells apart."""
    dataset = cfg.train_dataloader.dataset
    classes = dataset.get('classes') or (
        dataset.get('metainfo') or DATASETS.get(dataset.type).METAINFO)['classes']
    for head in (model.decode_head, getattr(model, 'auxiliary_head', None)):
        if head is not None:
            assert head.num_classes == len(classes)
        if hasattr(head, 'classifier'):
            assert head.classifier.out_channels == len(classes) - 1


def check_loaders(cfg, name):
    for kind in ('train', 'val', 'test', 'seed', 'mean_shift'):
        loader = cfg.get(f'{kind}_dataloader')
        if loader:
            assert loader.dataset.type in DATASETS
            assert loader.sampler.type in DATA_SAMPLERS
            for transform in loader.dataset.pipeline:
                TRANSFORMS.build(transform)
    for transform in cfg.get('tta_pipeline', []):
        TRANSFORMS.build(transform)
    assert cfg.train_dataloader.sampler.type == 'ReproducibleInfiniteSampler'
    assert transforms(cfg.train_dataloader)[0].type == 'SetRandomState'
    if name.startswith('deeplab/'):
        # Each process sees images of its own.
        assert cfg.val_dataloader.sampler.round_up is False


def check_schedule(cfg, model, name):
    cfg = deepcopy(cfg)
    resolve_epochs(cfg, num_images=1000)
    end = cfg.train_cfg.max_iters
    for settings in cfg.get('custom_hooks') or []:
        hook = HOOKS.build(deepcopy(settings))
        if settings.type == 'StageSwitchHook':
            # Some ablations leave out a stage.
            assert hook.ends[-1] == end or 'esol/ablations' in name
            for stage in hook.stages:
                model.switch_stage(stage['name'])
        if settings.type == 'MeanShiftHook':
            assert (hook.crop_size, ) * 2 == tuple(cfg.model.data_preprocessor.size)
    wrapper = build_optim_wrapper(model, deepcopy(cfg.optim_wrapper))
    assert wrapper.optimizer.param_groups
    for settings in listed(cfg.param_scheduler):
        PARAM_SCHEDULERS.build(dict(settings, optimizer=wrapper))
        # PolyLR reaches its last value one or two steps late.
        assert end <= settings.get('end', end) <= end + 2


def check_tests(cfg, model):
    for kind in ('val', 'test'):
        assert bool(cfg[f'{kind}_dataloader']) == bool(
            cfg[f'{kind}_cfg']) == bool(cfg[f'{kind}_evaluator'])
        for settings in listed(cfg[f'{kind}_evaluator']):
            METRICS.build(deepcopy(settings))
    for key in ('tta_model', 'walk_tta_model'):
        if key in cfg:
            MODELS.build(dict(cfg[key], module=model))
    for key in ('label_rule', 'walk'):
        if key in cfg:
            MODELS.build(deepcopy(cfg[key]))


def check_what_is_seen(cfg, model, name):
    dataset = cfg.train_dataloader.dataset
    names = [transform.type for transform in dataset.pipeline]
    # Masks of training images are read to measure accuracy and for no loss.
    assert ('LoadMask' in names) == name.startswith(PIXEL_LABELS) or 'fig6' in name
    if 'LoadMask' not in names:
        assert not dataset.get('with_masks') and dataset.label_file
        assert 'seg_map_path' not in dataset.data_prefix
    # The crop of the pipeline is the size that the preprocessor pads to.
    crop, = (t.get('crop_size') or t.scale for t in dataset.pipeline
             if 'Crop' in t.type)
    size = cfg.model.data_preprocessor.get('size')
    assert size is None or tuple(size) == tuple(crop)
    saliency = 'saliency' in name and name.startswith('sance/')
    assert ('LoadSaliency' in names) == ('saliency_path' in dataset.data_prefix)
    assert ('LoadSaliency' in names) == saliency == (
        getattr(model, 'refine_by', 'crf') == 'saliency')
    if 'protocol' in (cfg.val_evaluator or {}):
        assert cfg.val_evaluator.protocol.supervision == (
            'I+S' if 'saliency' in name else 'I')
    if name.startswith('fsae/'):
        assert type(model).__name__ == 'FSAEWeakSegmentor'
        assert model.stage in (model.stages or [None])
        assert names[-3:] == ['RandomCropPad', 'StrongView', 'PackWeakInputs']


@cache
def recipe(name: str) -> Recipe:
    return Recipe(str(ROOT / name))


@pytest.mark.parametrize('name', RECIPES)
def test_recipe(name):
    """A recipe reads only what exists (its constructor checks references)."""
    steps = recipe(name).steps
    for step in steps:
        if tool := STEP_TYPES[step.type].tool:
            assert Path(project_path('tools', tool)).is_file()
        config = recipe(name).config_path(step)
        if config is not None:
            assert str(Path(config).relative_to(ROOT)) in CONFIGS
    names = [step.name for step in steps]
    assert names[-1] == 'report' and {'pseudo_labels', 'train_segmentor'} < {*names}
    assert names.index('pseudo_labels') < names.index('train_segmentor')
    method = name.split('/')[0]
    localizer = recipe(name).variables['localizer']
    # Some methods begin with the seeds of CAM.
    assert Path(localizer).parent.name in (
        {method, 'cam'} if method in ('irn', 'psa', 'sance') else {method})


@pytest.mark.parametrize('name', [name for name in RECIPES if 'irn_' in name])
def test_recipes_of_irn(name):
    steps = {step.name: step.spec for step in recipe(name).steps}
    # On COCO only the last stage of ESOL makes seeds.
    each_stage = 'esol_irn' in name and 'coco' not in name
    seeds = 'seeds_shrink' if each_stage else 'seeds'
    assert steps['walk']['seeds'] == f'{{{seeds}}}'
    assert steps['affinity_labels']['seeds'] == f'{{{seeds}}}'
    # On own photos they are one of the stages to choose from.
    stages = steps['choose']['stages'].values() if 'choose' in steps else [
        steps['pseudo_labels']['seeds']]
    assert '{walk}/seeds' in stages
    order = [*steps]
    assert order.index(seeds) < order.index('affinity_labels') < order.index(
        'train_irn') < order.index('walk') < order.index('train_segmentor')


def test_baseline_curve_of_sance():
    """Each epoch's checkpoint is kept and walks once."""
    steps = {step.name: step.spec for step in recipe(
        f'{SANCE}baseline-curve_pipeline.py').steps}
    epoch = steps['train_irn']['cfg_options']['default_hooks.checkpoint.interval']
    cfg = load(f'{SANCE}baseline-s16.py')
    assert 16 * epoch == cfg.train_cfg.max_iters
    for n in range(1, 17):
        assert steps[f'walk_{n}']['checkpoint'] == f'{{train_irn}}/iter_{n * epoch}.pth'
        assert steps[f'score_{n}']['seeds'] == f'{{walk_{n}}}/seeds'
    assert f'walk_{n + 1}' not in steps


@pytest.mark.parametrize('name', ['cam_r101_voc', 'cam_r50_coco'])
def test_momentum_of_sances_classifier(name):
    ours, base = load(f'sance/{name}.py'), load(f'cam/{name}.py')
    assert ours.optim_wrapper.optimizer == dict(
        base.optim_wrapper.optimizer, momentum=0.9)
    assert (ours.model, ours.train_cfg) == (base.model, base.train_cfg)


@pytest.mark.parametrize('method', sorted({name.split('/')[0] for name in ALL}))
def test_metafile(method):
    """Paths exist, and no config of a published data set is left out."""
    models = yaml.safe_load((ROOT / method / 'metafile.yml').read_text())['Models']
    for model in models:
        assert model['Config'] == f'configs/{method}/{model["Name"]}.py'
        assert (ROOT.parent / model['Config']).is_file()
    variants = ('_demo', '_folder', '_animals', '_crf', '_tags', '_sbd', '_paper',
                '_seam', '_ppc', '_mctformer', 'psa_r50_voc')
    own = {
        Path(name).stem for name in CONFIGS
        if Path(name).parts[:-1] == (method, ) and Path(name).stem.startswith(
            'deeplab' if method == 'deeplab' else method)
    }
    assert {name for name in own if not name.endswith(variants)} <= {
        model['Name'] for model in models}


def stages(iters, rates=()):
    """Facts of a config's stages: iterations and learning rates."""
    return {
        **{f'custom_hooks.0.stages.{i}.iters': n for i, n in enumerate(iters)},
        **{f'custom_hooks.0.stages.{i}.optim_wrapper.optimizer.lr': rate
           for i, rate in rates}
    }


def epochs_of_661(epochs, rate):
    return {**stages([5 * 661, (epochs - 5) * 661]),
            'train_cfg.max_iters': epochs * 661, 'optim_wrapper.optimizer.lr': rate}


def psa(powers, rate, walk, threshold, steps):
    return {
        'label_rule.low_alpha': powers[0], 'label_rule.high_alpha': powers[1],
        'optim_wrapper.optimizer.lr': rate, 'walk.alpha': walk,
        'walk.bg_thr': threshold, 'walk.refiner.steps': steps
    }


def fsae(**values):
    return {'model.loss_fsae': dict(type='FSAELoss', **values)}


RGB_MEAN, RGB_STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
FSAE = 'fsae/ablations/fsae_cam_r50_voc_'
ESOL = 'esol/ablations/esol_r50_voc_'
STAGE = 'single_stage/ablations/single_stage_wide-r38_voc_'
# What a config says, at a path of it.
FACTS = {
    'cam/cam_r50_voc.py': {
        'model.data_preprocessor.mean': RGB_MEAN,
        'model.data_preprocessor.std': RGB_STD,
        'train_dataloader.batch_size': 16, 'train_cfg.max_iters': 3305,
        'optim_wrapper.optimizer.lr': 0.1,
        'optim_wrapper.paramwise_cfg.head_mult': 10.
    },
    'esol/esol_r50_voc.py': {
        **stages([3305, 6610, 6610], [(0, None), (1, 0.01), (2, 0.1)]),
        'model.decode_head.clip_ratio': 0.15
    },
    'esol/esol_r50_coco.py': stages(
        [25865, 51730, 51730], [(1, 0.001), (2, 0.02)]),
    'esol/esol_r50_voc_saliency.py': {
        'seed_dataloader.dataset.data_prefix.saliency_path': 'Saliency',
        'label_rule.type': 'SaliencyLabel'
    },
    'esol/esol_r50_voc_saliency_seeds.py': {
        'label_rule': dict(type='SaliencyLabel', refiner=None, bg_thr=0.15,
                           claimed=0, unclaimed=0)
    },
    f'{ESOL}wo-cls.py': {'model.decode_head.loss_shrink.loss_weight': 0.},
    f'{ESOL}wo-dte.py': {'model.decode_head.clip_ratio': 0.15},
    f'{ESOL}wo-dte-fl.py': {'model.decode_head.clip_ratio': None},
    f'{ESOL}wo-fl.py': {'model.decode_head.clip_ratio': None},
    f'{ESOL}wo-dts.py': {'model.decode_head.shrink_offsets': False},
    f'{ESOL}wo-dts-area.py': {'model.decode_head.shrink_offsets': False,
                              'model.decode_head.loss_area': None},
    f'{ESOL}wo-area.py': {'model.decode_head.loss_area': None},
    f'{ESOL}ascent-wo-dcn.py': {'model.decode_head.expand_offsets': False,
                                'model.decode_head.clip_ratio': None},
    f'{ESOL}trained-kernel.py': {'model.decode_head.expand_trains_kernel': True},
    'irn/irn_r50_voc.py': {
        'train_dataloader.batch_size': 32, 'train_cfg.max_iters': 3 * 10560 // 32,
        'walk.bg_thr': 0.25
    },
    'psa/psa_wide-r38_voc.py': psa((4, 32), 0.1, 16, None, 256),
    'psa/psa_wide-r38_voc_paper.py': psa((4, 24), 0.1, 16, None, 256),
    'psa/psa_wide-r38_voc_seam.py': psa((4, 24), 0.01, 6, None, 64),
    'psa/psa_wide-r38_voc_ppc.py': psa((4, 24), 0.01, None, 0.27, 64),
    'psa/psa_wide-r38_voc_mctformer.py': psa((1, 12), 0.01, None, 0.39, 64),
    'psa/cam_wide-r38_voc.py': {'tta_model.size_divisor': 1},
    'seam/seam_wide-r38_voc.py': {'tta_model.size_divisor': 1},
    'sance/sance_r101_voc.py': {
        'train_cfg.max_iters': 16 * 1058, 'train_cfg.val_interval': 1058
    },
    'sance/sance_r101_sbd.py': {'test_evaluator.type': 'BoundaryMetric'},
    'single_stage/single_stage_wide-r38_voc.py': epochs_of_661(25, 1e-3),
    'single_stage/single_stage_r50_voc.py': epochs_of_661(21, 5e-4),
    'single_stage/single_stage_r101_voc.py': epochs_of_661(21, 1e-3),
    'single_stage/single_stage_vgg16_voc.py': epochs_of_661(33, 1e-3),
    f'{STAGE}focal-p5-l0.1.py': {'model.decode_head.focal_p': 5.,
                                 'model.decode_head.focal_lambda': 0.1},
    f'{STAGE}wo-penalty.py': {'model.decode_head.focal_lambda': None,
                              'model.decode_head.gate': dict(rate=0.5)},
    f'{STAGE}wo-pamr.py': {'model.decode_head.refiner': None,
                           'model.decode_head.gate': dict(rate=0.5)},
    f'{STAGE}wo-gate.py': {'model.decode_head.gate': None},
    f'{STAGE}wo-cues.py': {'model.decode_head.cues': None},
    f'{STAGE}gate-deterministic.py': {
        'model.decode_head.gate': dict(rate=0.5, deterministic=True)},
    'fsae/fsae_cam_r50_voc.py': {
        'optim_wrapper.optimizer.lr': 0.05, 'train_cfg.max_iters': 2 * 3305
    },
    f'{FSAE}ema.py': {
        'custom_hooks.0': dict(type='EMAPseudoLabelHook', momentum=0.001)
    },
    f'{FSAE}base.py': fsae(threshold=1.1),
    f'{FSAE}fae.py': fsae(kernel_size=1),
    f'{FSAE}tau-fae-80.py': fsae(threshold=0.8, kernel_size=1),
    f'{FSAE}tau-fae-85.py': fsae(threshold=0.85, kernel_size=1),
    f'{FSAE}tau-fae-90.py': fsae(threshold=0.9, kernel_size=1),
    f'{FSAE}tau-fae-99.py': fsae(threshold=0.99, kernel_size=1),
    f'{FSAE}k-5.py': fsae(kernel_size=5),
    f'{FSAE}k-7.py': fsae(kernel_size=7),
    f'{FSAE}tau-sae-00.py': fsae(ring_threshold=0.),
    f'{FSAE}tau-sae-60.py': fsae(ring_threshold=0.6),
    f'{FSAE}tau-sae-70.py': fsae(ring_threshold=0.7),
    f'{FSAE}tau-sae-90.py': fsae(ring_threshold=0.9),
    f'{FSAE}ops-1.py': {'train_dataloader.dataset.pipeline.6.num_ops': 1},
    f'{FSAE}ops-5.py': {'train_dataloader.dataset.pipeline.6.num_ops': 5},
    f'{FSAE}ops-7.py': {'train_dataloader.dataset.pipeline.6.num_ops': 7},
}


@pytest.mark.parametrize('name, path, value', [
    (name, path, value) for name, facts in FACTS.items()
    for path, value in facts.items()
])
def test_fact(name, path, value):
    assert at(load(name), path) == value


def stride(backbone) -> int:
    if backbone.type in ('WideResNet38', 'VGG16FC7'):
        return 8
    return backbone.get('output_stride') or 4 * prod(backbone.strides)


def test_seeds_of_stride_8_are_merged_at_the_images_size():
    """IRN's multiple of 16 is for stride 16."""
    divisors = {
        name: (stride(config.model.backbone), config.tta_model.get('size_divisor', 16))
        for name, config in ((name, load(name)) for name in CONFIGS)
        if config.get('tta_model', {}).get('type') == 'CAMTTAModel'}
    assert {one for one, _ in divisors.values()} == {8, 16}
    assert [name for name, (one, divisor) in divisors.items()
            if one == 8 and divisor > 1] == []
    assert divisors['cam/cam_r50_s8_voc.py'] == (8, 1)
    assert divisors['cam/cam_r50_voc.py'] == (16, 16)


@pytest.mark.parametrize('name, names', [
    ('wo-dte-fl', 'classify shrink'), ('wo-dte', 'classify shrink'),
    ('wo-fl', 'classify expand shrink'), ('wo-dts-area', 'classify expand shrink'),
    ('wo-dts', 'classify expand shrink'), ('wo-area', 'classify expand shrink'),
    ('wo-cls', 'classify expand shrink'),
    ('ascent-wo-dcn', 'classify expand'), ('trained-kernel', 'classify expand'),
])
def test_stages_of_esols_ablations(name, names):
    stages = load(f'{ESOL}{name}.py').custom_hooks[0].stages
    assert [stage.name for stage in stages] == names.split()


BOTH = ('contour', 'segmentation')
SANCE = 'sance/ablations/sance_r101_voc_'
# What a config makes of a model, at a path of the model.
BUILT = [
    ('fsae/fsae_cam_r50_voc.py', {
        'loss_fsae.threshold': 0.95, 'loss_fsae.ring_threshold': 0.8,
        'loss_fsae.kernel_size': 3, 'loss_fsae.loss_weight': 1.
    }),
    (f'{SANCE}naive.py', dict(online=BOTH, refined=())),
    (f'{SANCE}naive-s16.py', dict(online=BOTH, refined=())),
    (f'{SANCE}naive-wo-tta.py', dict(online=BOTH, refined=())),
    (f'{SANCE}naive-s16-wo-tta.py', dict(online=BOTH, refined=())),
    (f'{SANCE}online-none.py', dict(online=(), refined=())),
    (f'{SANCE}online-segmentation.py', dict(online=('segmentation', ), refined=())),
    (f'{SANCE}online-contour.py', dict(online=('contour', ), refined=())),
    (f'{SANCE}refine-segmentation.py', dict(online=BOTH, refined=('segmentation', ))),
    (f'{SANCE}refine-both.py', dict(online=BOTH, refined=BOTH)),
    (f'{SANCE}wo-tta.py', dict(online=BOTH, refined=('contour', ))),
    (f'{SANCE}literal-8.py', dict(
        online_walk=dict(radius=3, beta=10, steps=8),
        label_walk=dict(radius=5, beta=10, steps=8))),
]


@pytest.mark.parametrize('name, facts', BUILT)
def test_built_fact(name, facts):
    model = build(load(name))
    assert {path: at(model, path) for path in facts} == facts


@pytest.mark.parametrize('name', [
    'naive', 'wo-tta', 'naive-wo-tta', 'naive-s16-wo-tta'])
def test_views_of_sances_pseudo_labels(name):
    views = load(f'{SANCE}{name}.py').seed_dataloader.dataset.pipeline[1].transforms
    count = len(views[0]) * (len(views[1]) if len(views) == 4 else 1)
    assert count == (1 if 'wo-tta' in name else 8)


@pytest.mark.parametrize('name', ['cam', 'esol'])
def test_no_moving_average_on_coco(name):
    """The paper has one there for PPC with EPS alone."""
    hooks = load(f'fsae/fsae_{name}_r50_coco.py').get('custom_hooks', [])
    assert 'EMAPseudoLabelHook' not in [hook.type for hook in hooks]


@pytest.mark.parametrize('name', [
    'cam_demo', 'cam_folder', 'cam_mobilenetv1_animals', 'cam_r50_coco', 'cam_r50_voc',
    'esol_demo', 'esol_folder', 'esol_mobilenetv1_animals', 'esol_mobilenetv1_folder',
    'esol_r50_coco', 'esol_r50_voc'])
def test_strong_view_has_the_jitter(name):
    """Once: of the weak view or its own."""
    pipeline = transforms(load(f'fsae/fsae_{name}.py').train_dataloader)
    weak = [dict(one) for one in pipeline if one.type == 'mmpretrain.ColorJitter']
    own = [dict(one.jitter, type='mmpretrain.ColorJitter') for one in pipeline
           if one.type == 'StrongView' and one.get('jitter')]
    assert weak + own == [dict(
        type='mmpretrain.ColorJitter', brightness=0.3, contrast=0.3, saturation=0.3,
        hue=0.1)]


def test_strong_view_of_fsae():
    view = TRANSFORMS.build(transforms(load('fsae/fsae_cam_r50_voc.py')
                                       .train_dataloader)[-2])
    assert (view.num_ops, len(view.ops)) == (3, 9)


def count(parameters) -> int:
    return sum(parameter.numel() for parameter in parameters)


CAM_R50 = 23_548_992
SPLIT_ESOL = 2 * 37_748_736 + 2 * 331_794  # convolutions and offsets
DEEPLAB_V2_HEAD = 1_548_372
# The official networks: all parameters, those that learn, entries of the state
# (or None), and groups of parameters {(factor of the rate, decays): (tensors,
# numbers)}, of which some are given.
NETWORKS = {
    'cam/cam_r50_voc.py': (CAM_R50, None, None, {}),
    'esol/esol_r50_voc.py': (CAM_R50 + SPLIT_ESOL, None, None, {}),
    'deeplab/deeplabv2_r101_voc.py': (44_048_532, None, 632, {
        (1, True): (104, 42_394_816), (10, True): (4, 4 * 9 * 2048 * 21),
        (20, False): (4, 4 * 21)
    }),
    'deeplab/deeplabv1_r101s_voc.py': (52_336_085, None, 650, {
        (1, True): (106, 42_518_208), (10, True): (3, 9_710_080),
        (20, False): (1, 21)
    }),
    'psa/cam_wide-r38_voc.py': (105_152_832, 104_284_160, 229, {}),
    'psa/cam_vgg16_voc.py': (20_504_384, None, 31, {}),
    'psa/psa_wide-r38_voc.py': (106_484_032, 104_202_240 + 1_413_120, 232, {}),
    'psa/psa_vgg16_voc.py': (21_045_952, None, 40, {}),
    # The background row of fc8, 4096 weights, is absent.
    'seam/seam_wide-r38_voc.py': (105_358_208 - 4096, None, 232, {}),
    # A ResNet-50, and branches for edges and displacements.
    'irn/irn_r50_voc.py': (23_508_032 + 125_409 + 1_269_120, None, None, {}),
    # A ResNet-101, IRN's edge branch, and DeepLab's four classifiers.
    'sance/sance_r101_voc.py': (
        42_500_160 + 125_409 + DEEPLAB_V2_HEAD, None, None, {}),
    'single_stage/single_stage_wide-r38_voc.py': (137_973_172, 137_104_500, None, {
        (1, True): (35, 104_202_240), (10, True): (26, 32_899_120),
        (20, False): (13, 3_140)
    }),
    'single_stage/single_stage_vgg16_voc.py': (30_579_636, 30_540_916, None, {
        (1, True): (13, 20_439_040), (2, False): (13, 6_144),
        (10, True): (26, 10_092_592), (20, False): (13, 3_140)
    }),
    'single_stage/single_stage_r50_voc.py': (41_205_940, 41_143_412, None, {
        (1, True): (52, 23_445_504), (10, True): (26, 17_694_768)
    }),
    'single_stage/single_stage_r101_voc.py': (60_198_068, 60_083_316, None, {
        (1, True): (103, 42_385_408), (10, True): (26, 17_694_768)
    }),
}


@pytest.mark.parametrize('name', NETWORKS)
def test_network(name):
    total, trained, keys, groups = NETWORKS[name]
    cfg = load(name)
    model = build(cfg)
    assert count(model.parameters()) == total
    assert keys in (None, len(model.state_dict()))
    wrapper = build_optim_wrapper(model, deepcopy(cfg.optim_wrapper))
    rate = cfg.optim_wrapper.optimizer.lr
    found = {
        (round(group['lr'] / rate), group['weight_decay'] > 0):
        (len(group['params']), count(group['params']))
        for group in wrapper.optimizer.param_groups
    }
    assert trained in (None, sum(numbers for _, numbers in found.values()))
    assert {key: found.get(key) for key in groups} == groups


def test_what_irn_trains():
    model = build(load('cam/cam_r50_voc.py'))
    learns = {
        name.split('.')[1]
        for name, p in model.named_parameters() if p.requires_grad
    }
    assert learns == {'layer3', 'layer4', 'classifier'}


def test_rates():
    """IRN's displacements learn faster; SANCE's heads do."""
    cfg = load('irn/irn_r50_voc.py')
    model = build(cfg)
    wrapper = build_optim_wrapper(model, deepcopy(cfg.optim_wrapper))
    rates = {
        id(parameter): group['lr']
        for group in wrapper.optimizer.param_groups for parameter in group['params']
    }
    assert rates[id(model.decode_head.fuse.weight)] == 0.1
    assert rates[id(model.auxiliary_head.field.weight)] == 1.
    assert id(model.backbone.conv1.weight) not in rates
    cfg = load('sance/sance_r101_voc.py')
    wrapper = build_optim_wrapper(build(cfg), deepcopy(cfg.optim_wrapper))
    found = {group['lr'] for group in wrapper.optimizer.param_groups}
    assert sorted(found) == pytest.approx([2.5e-4, 2.5e-3])


@pytest.mark.parametrize(
    'name', [name for name in CONFIGS if name.startswith('irn/')])
def test_grids_of_irn(name):
    """What the heads read is what the backbone gives; both answer at stride 4."""
    cfg = load(name)
    model = build(cfg)
    size = cfg.model.data_preprocessor.size
    with torch.no_grad():
        feats = model.extract_feat(torch.rand(1, 3, *size, device='meta'))
        logits, field = model.decode_head(feats), model.auxiliary_head(feats)
    grid = tuple(side // 4 for side in size)
    assert logits.shape == (1, 1, *grid) and field.shape == (1, 2, *grid)


@pytest.mark.parametrize('name, stride', [('sance/sance_r101_voc.py', 8),
                                          (f'{SANCE}naive-s16.py', 16)])
def test_strides_of_sance(name, stride):
    model = build(load(name))
    with torch.device('meta'):
        feats = model.backbone(torch.rand(1, 3, 64, 64))
    assert [feat.shape[2] for feat in feats[:2]] == [16, 16]
    assert feats[-1].shape[2] == 64 // stride
    dilations = [
        getattr(model.backbone, layer)[0].conv2.dilation
        for layer in ('layer3', 'layer4')
    ]
    assert dilations == ([(2, 2), (4, 4)] if stride == 8 else [(1, 1)] * 2)


@pytest.mark.parametrize('name, trained', [
    ('ablations/sance_r101_sbd_baseline-s16.py',
     'ablations/sance_r101_voc_baseline-s16.py'),
    ('ablations/sance_r101_sbd_naive-s16.py',
     'ablations/sance_r101_voc_naive-s16.py'),
    ('sance_r101_sbd.py', 'sance_r101_voc.py'),
])
def test_sbd_tests_what_was_trained(name, trained):
    cfg, other = load(f'sance/{name}'), load(f'sance/{trained}')
    assert (cfg.model.backbone, cfg.model.type) == (
        other.model.backbone, other.model.type)
    assert cfg.test_dataloader == load('sance/sance_r101_sbd.py').test_dataloader
    assert cfg.test_evaluator.type == 'BoundaryMetric'


@pytest.mark.parametrize('name', ['cam_mobilenetv1_animals',
                                  'esol_mobilenetv1_animals'])
def test_fsae_differs_from_its_base_only_by_fsae(name):
    ours = load(f'fsae/fsae_{name}.py')
    base = load(f'{name.split("_")[0]}/{name}.py')
    assert (ours.train_cfg, ours.optim_wrapper, ours.param_scheduler) == (
        base.train_cfg, base.optim_wrapper, base.param_scheduler)
    assert [t for t in transforms(ours.train_dataloader) if t.type != 'StrongView'
            ] == transforms(base.train_dataloader)
    for key in set(ours.model) - {'type', 'loss_fsae', 'stages'}:
        assert ours.model[key] == base.model[key], key


def test_data_root_reaches_the_mean_shift():
    cfg = read_config(str(ROOT / 'irn/irn_r50_voc.py'), dict(data_root='elsewhere'))
    assert cfg.custom_hooks[0].dataloader.dataset.data_root == 'elsewhere'


def test_documented_recipe(tmp_path):
    """A method's recipe that a data set fills in, as docs/en/recipes.md says."""
    page = ROOT.parent / 'docs' / 'en' / 'recipes.md'
    if not page.exists():
        pytest.skip('an install has no docs')
    text, = re.findall(r"```python\n(_base_ = \['../_base_/.*?)```", page.read_text(),
                       re.S)
    text = text.replace('../_base_', str(ROOT / '_base_'))
    path = tmp_path / 'mine_pipeline.py'
    path.write_text(text.replace('{{ fileDirname }}', str(ROOT / 'cam')))
    mine, ours = Recipe(str(path)), recipe('cam/cam_r50_voc_pipeline.py')
    assert [step.name for step in mine.steps] == [step.name for step in ours.steps]
    assert mine.protocol == dict(ours.protocol, weights='ImageNet')


@cache
def run_test_pipelines(pipelines: str) -> list[tuple]:
    """Sizes of what mmseg's own functions make of an image and of an array."""
    cfg = Config(json.loads(pipelines))
    array = np.zeros((20, 30, 3), np.uint8)
    file = str(ROOT.parent / 'docs/en/_static/demo.png')
    sizes = []
    for image in (array, file):
        inferencer = object.__new__(MMSegInferencer)
        data, _ = _preprare_data(image, SimpleNamespace(cfg=deepcopy(cfg)))
        packed = MMSegInferencer._init_pipeline(inferencer, deepcopy(cfg))(image)
        assert torch.equal(packed['inputs'], data['inputs'][0])
        sizes.append(tuple(packed['inputs'].shape))
        assert packed['data_samples'].ori_shape == sizes[-1][1:]
    return sizes


@pytest.mark.parametrize('name', CONFIGS)
def test_mmseg_reads_images_by_the_config(name):
    cfg = load(name)
    pipelines = dict(test_pipeline=cfg.test_pipeline, test_dataloader=None)
    if cfg.get('test_dataloader'):
        pipeline = cfg.test_dataloader.dataset.pipeline
        pipelines['test_dataloader'] = dict(dataset=dict(pipeline=pipeline))
    sizes = run_test_pipelines(json.dumps(pipelines))
    with Image.open(ROOT.parent / 'docs/en/_static/demo.png') as image:
        assert sizes == [(3, 20, 30), (3, image.height, image.width)]
