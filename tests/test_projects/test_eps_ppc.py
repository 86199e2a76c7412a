# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The models, configs and tools of EPS and PPC."""

import numpy as np
import pytest
import torch
from mmengine.optim import OptimWrapper
from mmengine.structures import PixelData
from mmseg.registry import MODELS, TRANSFORMS
from model_tester import (
    BACKBONE,
    NUM_CLASSES,
    PREPROCESSOR,
    WeakModelTester,
    make_batch,
)
from PIL import Image
from project_configs import ProjectConfigs
from torch.optim import SGD

from mmwsss.engine.optimizers import WeakOptimWrapperConstructor
from mmwsss.recipes import Recipe
from projects.eps_ppc import HeldPolyLR, convert
from projects.eps_ppc.make_saliency import make_maps
from projects.eps_ppc.minimum_barrier import (
    barrier_distance,
    saliency_map,
)

CONFIGS = ProjectConfigs('eps_ppc')


def saliency_batch(**options):
    batch = make_batch(**options)
    for sample in batch['data_samples']:
        size = sample.img_shape
        saliency = torch.zeros(1, *size, dtype=torch.uint8)
        saliency[:, size[0] // 4:] = 255
        sample.gt_saliency = PixelData(data=saliency)
    return batch


MODEL = dict(
    type='WeakSegmentor',
    data_preprocessor=PREPROCESSOR,
    backbone=BACKBONE,
    test_cfg=dict(mode='whole'))
PPC = dict(
    in_channels=[8, 16, 32],
    num_classes=NUM_CLASSES,
    reduced_channels=(4, 8),
    projection=6)
SEAM_LOSSES = {'loss', 'decode.loss_cls', 'decode.loss_rvmin', 'decode.loss_er',
               'decode.loss_ecr'}
PPC_LOSSES = SEAM_LOSSES | {
    'decode.loss_cross_prototype', 'decode.loss_cross_label',
    'decode.loss_intra_view'}


class TestEPS(WeakModelTester):
    batch = staticmethod(saliency_batch)
    model_cfg = dict(
        MODEL,
        decode_head=dict(
            type='EPSHead', in_channels=32, in_index=3, num_classes=NUM_CLASSES))

    def test_losses(self):
        _, logs = self.losses(self.build().train())
        assert set(logs) == {'loss', 'decode.loss_cls', 'decode.loss_saliency'}

    def test_without_saliency(self):
        model = self.build().train()
        data = model.data_preprocessor(make_batch(), training=True)
        with pytest.raises(ValueError, match='0.jpg comes without a saliency map'):
            model(**data, mode='loss')

    def test_seeds_are_probabilities(self):
        model = self.build().eval()
        with torch.no_grad():
            answer = model.class_maps(torch.rand(2, 3, 32, 32))
        masks = answer.scores.softmax(1)
        assert answer.scores.shape[1] == NUM_CLASSES
        torch.testing.assert_close(answer.seed_maps, masks[:, 1:])
        # Seeds compete with a constant, not with the learnt background.
        assert answer.seed_background is None
        torch.testing.assert_close(answer.logits, answer.scores[:, 1:].mean((2, 3)))

    def test_learns_what_saliency_shows(self):
        torch.manual_seed(0)
        model = self.build().train()
        optimizer = OptimWrapper(SGD(model.decode_head.parameters(), lr=1.))
        losses = [
            model.train_step(saliency_batch(), optimizer)[
                'decode.loss_saliency'].item() for _ in range(20)
        ]
        assert losses[-1] < 0.9 * losses[0]


class TestPPC(WeakModelTester):
    model_cfg = dict(
        MODEL,
        second_view=0.5,
        decode_head=dict(PPC, type='PPCHead', dropout_ratio=0.))

    def test_losses(self):
        _, logs = self.losses(self.build().train())
        assert set(logs) == PPC_LOSSES

    def test_prototypes_teach_neither_maps_nor_embedding(self):
        model = self.build().train()
        data = model.data_preprocessor(make_batch(), training=True)
        losses, _ = model.loss_and_class_maps(**data)
        contrast = sum(losses[f'decode.loss_{name}'] for name in (
            'cross_prototype', 'cross_label', 'intra_view'))
        contrast.backward()
        head = model.decode_head
        assert head.project.weight.grad.any()
        assert head.classifier.weight.grad is None
        assert head.embed.weight.grad is None

    def test_one_dropout_before_both(self):
        model = self.build().train()
        head = model.decode_head
        head.dropout = torch.nn.Dropout2d(0.5)
        features = [torch.rand(1, c, 4, 4) for c in (4, 8, 16, 32)]
        with torch.no_grad():
            head.classifier.weight.fill_(0)
            head.classifier.weight[0, :, 0, 0] = features[-1].new_ones(32)
            head.project.weight.copy_(head.classifier.weight[:1].expand(6, -1, 1, 1))
            answer = head(features, torch.rand(1, 3, 32, 32))
        torch.testing.assert_close(answer.extra['projected'][:, 0], answer.maps[:, 0])

    def test_seeds_by_way_of_the_inputs_size(self):
        head = MODELS.build(dict(
            PPC, type='PPCHead', full_size_seeds=True)).eval()
        features = [torch.rand(1, c, 4, 4) for c in (4, 8, 16, 32)]
        with torch.no_grad():
            answer = head(features, torch.rand(1, 3, 32, 24))
        assert answer.seed_maps.shape == (1, NUM_CLASSES - 1, 32, 24)
        assert torch.equal(
            answer.seed_maps[..., 0, 0], answer.extra['revised'][:, 1:, 0, 0])


class TestPPCEPS(WeakModelTester):
    batch = staticmethod(saliency_batch)
    model_cfg = dict(
        MODEL,
        second_view=(16, 16),
        decode_head=dict(PPC, type='PPCEPSHead'))

    def test_losses(self):
        _, logs = self.losses(self.build().train())
        assert set(logs) == PPC_LOSSES | {
            'decode.loss_saliency', 'decode.loss_saliency_revised'}

    def test_saliency_teaches_the_background_and_the_revision(self):
        model = self.build().train()
        data = model.data_preprocessor(saliency_batch(), training=True)
        losses, _ = model.loss_and_class_maps(**data)
        head = model.decode_head
        own, = torch.autograd.grad(
            losses['decode.loss_saliency'], head.classifier.weight)
        assert own[0].any()
        revised = torch.autograd.grad(
            losses['decode.loss_saliency_revised'],
            [head.embed.weight, head.classifier.weight], allow_unused=True)
        assert revised[0].any() and revised[1] is None

    def test_prototypes_are_of_the_revised_maps_and_seeds_are_not(self):
        model = self.build().eval()
        with torch.no_grad():
            answer = model.class_maps(torch.rand(1, 3, 32, 32))
        torch.testing.assert_close(
            answer.seed_maps, answer.scores.softmax(1)[:, 1:])
        assert answer.extra['revised'].shape == answer.scores.shape


class TestPPCEPSAsPublished(TestPPCEPS):
    batch = staticmethod(saliency_batch)
    model_cfg = dict(
        TestPPCEPS.model_cfg,
        decode_head=dict(
            PPC, type='PPCEPSHead', arbitrary_prototypes=True,
            first_class_as_background=True))

    def test_cross_target(self):
        head = self.build().decode_head
        maps = torch.tensor([0.6, 0.3, 0.9]).view(1, 3, 1, 1)
        # Background 0.1 loses to class 3; class 1 stays whatever happens.
        assert head.cross_target(maps).flatten().tolist() == pytest.approx(
            [0, 0.6, 0, 0.9])
        head.first_class_as_background = False
        assert head.cross_target(maps).flatten().tolist() == pytest.approx(
            [0.1, 0, 0, 0.9])


class TestFSAE(WeakModelTester):
    model_cfg = dict(TestPPCEPS.model_cfg, type='FSAE')

    @staticmethod
    def batch(**options):
        batch = saliency_batch(**options)
        for sample, image in zip(
                batch['data_samples'], make_batch(seed=1)['inputs'], strict=True):
            sample.strong_img = PixelData(data=image)
        return batch

    def test_the_learnt_background_takes_part(self):
        model = self.build().train()
        model.loss_fsae.threshold = 0.
        _, logs = self.losses(model)
        assert {'loss_fsae', 'fsae.background'} <= set(logs)
        assert logs['loss_fsae'] > 0 and logs['fsae.covered'] == 1


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
    if name.startswith('deeplab'):
        assert model.decode_head.conv_seg.out_channels == 21
        return
    with_saliency = 'eps' in name
    assert ('LoadSaliency' in steps) == with_saliency
    assert ('saliency_path' in cfg.train_dataloader.dataset.data_prefix) == (
        with_saliency)
    assert cfg.val_evaluator.protocol.supervision == (
        'I+S' if with_saliency else 'I')
    assert ('StrongView' in steps) == name.startswith('fsae')
    assert type(model).__name__.startswith('FSAE') == name.startswith('fsae')
    assert (model.second_view is None) == name.startswith('eps')
    classes = cfg.model.decode_head.num_classes
    assert model.decode_head.classifier.out_channels == (
        classes if with_saliency else classes - 1)
    if 'ppc' in name:
        assert cfg.tta_model.min_max == (not with_saliency)
    assert cfg.param_scheduler.end == cfg.train_cfg.max_iters + 1


@pytest.mark.parametrize('name', CONFIGS.recipes)
def test_recipe(name, tmp_path):
    recipe = Recipe(CONFIGS.path(name), str(tmp_path))
    steps = {step.name: step.spec for step in recipe.steps}
    assert 'train_segmentor' in steps
    small = 'demo' in name or 'animals' in name
    assert ('saliency' in steps) == (small and 'eps' in name)
    assert recipe.protocol['supervision'].startswith('I+S') == ('eps' in name)
    labels = steps['pseudo_labels'].get('refiner')
    if 'ppc_eps' in name:
        assert labels == 'eps_ppc' and steps['pseudo_labels']['bg_thr'] is None
    elif 'eps' in name:
        assert labels == 'none'


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize('name, parameters, groups', [
    ('eps_wide-r38_voc', 105_156_928, [(35, 104_202_240), (1, 86_016)]),
    ('ppc_eps_wide-r38_voc', 105_882_496, [(35, 104_202_240), (5, 811_584)]),
    # The published network has a 21st row that nothing trains.
    ('ppc_seam_wide-r38_voc', 105_882_496 - 4096,
     [(35, 104_202_240), (5, 811_584 - 4096)]),
])
def test_fingerprints(name, parameters, groups):
    cfg = CONFIGS.load(name)
    model = build(cfg)
    assert count(model) == parameters
    options = dict(cfg.optim_wrapper)
    options.pop('constructor')
    paramwise = options.pop('paramwise_cfg')
    made = WeakOptimWrapperConstructor(options, paramwise)(model)
    made = made.optimizer.param_groups
    assert [(group['lr'], group['weight_decay'], len(group['params']),
             sum(p.numel() for p in group['params'])) for group in made] == [
        (rate, 5e-4, *group)
        for rate, group in zip((0.01, 0.1), groups, strict=True)]


def test_held_rate():
    """The published code refreshes its rate while steps are left, then not."""
    optimizer = SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    schedule = HeldPolyLR(
        optimizer, steps=7, power=0.9, begin=0, end=11, by_epoch=False)
    rates = []
    for _ in range(10):
        rates.append(optimizer.param_groups[0]['lr'])
        schedule.step()
    wanted = [0.1 * (1 - min(t, 6) / 7)**0.9 for t in range(10)]
    assert rates == pytest.approx(wanted)


SHAPES = {
    'eps': {'fc8': (21, 4096)},
    'cls': {'fc8': (20, 4096)},
    'esp': {'fc8': (21, 4096), 'proj_fc': (128, 4096), 'f8_3': (64, 512),
            'f8_4': (128, 1024), 'f9': (192, 195)},
    'master': {'fc8': (21, 4096), 'fc_proj': (128, 4096), 'f8_3': (64, 512),
               'f8_4': (128, 1024), 'f9': (192, 195)},
}


def official(kind):
    """Keys and shapes of a published checkpoint, by those of the trunk here."""
    with torch.device('meta'):
        trunk = MODELS.build(dict(type='WideResNet38')).state_dict()
    parts = dict(norm1='bn_branch2a', conv1='conv_branch2a', norm2='bn_branch2b1',
                 conv2='conv_branch2b1', norm3='bn_branch2b2',
                 conv3='conv_branch2b2', shortcut='conv_branch1')
    state = {}
    for key, value in trunk.items():
        first, *rest = key.split('.')
        if first.startswith('layer'):
            place = '' if rest[0] == '0' else f'_{rest[0]}'
            key = f'b{first[5:]}{place}.{parts[rest[1]]}.{rest[2]}'
        else:
            key = dict(conv1='conv1a', norm='bn7')[first] + '.' + rest[0]
        state[key] = value
    for name, shape in SHAPES[kind].items():
        state[f'{name}.weight'] = torch.arange(float(shape[0]))[
            :, None, None, None].expand(*shape, 1, 1)
    return state


@pytest.mark.parametrize('kind, head, rows', [
    ('eps', 'EPSHead', [20, *range(20)]),
    ('cls', 'CAMHead', [*range(20)]),
    ('esp', 'PPCEPSHead', [20, *range(20)]),
    ('master', 'PPCHead', [*range(1, 21)]),
])
def test_converter(kind, head, rows):
    state = official(kind)
    assert len(state) == 228 + len(SHAPES[kind])
    assert convert.head_config(state)['type'] == head
    converted = convert.convert({f'module.{k}': v for k, v in state.items()})
    assert len(converted) == len(state)
    assert converted['decode_head.classifier.weight'][:, 0, 0, 0].tolist() == rows
    if kind != 'cls':
        name = dict(eps='eps', esp='ppc_eps', master='ppc_seam')[kind]
        model = build(CONFIGS.load(f'{name}_wide-r38_voc'))
        assert {k: v.shape for k, v in model.state_dict().items()} == {
            k: v.shape for k, v in converted.items()}


def test_converter_is_strict():
    state = official('esp')
    for change, words in (
            ({'f9.weight': None}, r'no source for .*embed.weight'),
            ({'b4_9.conv_branch2a.weight': torch.zeros(1)}, 'no use for .*layer4.9'),
            ({'fc9.weight': torch.zeros(1)}, 'no use for .*fc9.weight'),
            ({'f8_3.weight': torch.zeros(64, 511, 1, 1)}, 'another shape of')):
        changed = {**state, **change}
        changed = {k: v for k, v in changed.items() if v is not None}
        with pytest.raises(ValueError, match=words):
            convert.convert(changed)
    with pytest.raises(ValueError, match='fc8.weight is missing'):
        convert.convert({'fc7.weight': torch.zeros(1)})
    other = {'fc8.weight': torch.zeros(7, 4096, 1, 1)}
    with pytest.raises(ValueError, match='--num-classes says how many'):
        convert.head_config(other)
    assert convert.head_config(other, 7)['type'] == 'EPSHead'
    assert convert.head_config(other, 8)['type'] == 'CAMHead'
    with pytest.raises(ValueError, match='psa2mmwsss'):
        convert.head_config({**other, 'f9.weight': torch.zeros(1)})


def naive_barrier(image):
    """The least range of values on any way to the border, by trying all ranges."""
    height, width = image.shape
    values = sorted(set(image.flatten().tolist()))
    best = np.full(image.shape, np.inf)
    for low in values:
        for high in values:
            if high < low:
                continue
            inside = (image >= low) & (image <= high)
            reached = np.zeros_like(inside)
            reached[[0, -1]] = inside[[0, -1]]
            reached[:, [0, -1]] = inside[:, [0, -1]]
            for _ in range(height * width):
                grown = reached.copy()
                grown[1:] |= reached[:-1]
                grown[:-1] |= reached[1:]
                grown[:, 1:] |= reached[:, :-1]
                grown[:, :-1] |= reached[:, 1:]
                grown &= inside
                if (grown == reached).all():
                    break
                reached = grown
            best[reached] = np.minimum(best[reached], high - low)
    return best


def test_barrier_distance():
    """Scans find a way, not always the flattest; enough of them nearly do."""
    rng = np.random.default_rng(0)
    image = rng.integers(0, 6, (9, 11)).astype(float)
    exact = naive_barrier(image)
    found = barrier_distance(image, passes=12)
    assert (found >= exact).all()
    assert (found == exact).mean() > 0.9
    assert (barrier_distance(image) >= found).all()


def test_stand_in_for_saliency(tmp_path):
    image = np.full((40, 60, 3), (30, 120, 40), np.uint8)
    image[10:30, 20:45] = (220, 40, 30)
    saliency = saliency_map(image)
    assert saliency.shape == (40, 60) and saliency.dtype == np.uint8
    assert saliency[14:26, 24:41].min() > 200 and saliency[0].max() < 64
    assert not saliency_map(np.full((5, 7, 3), 9, np.uint8)).any()
    (tmp_path / 'photos' / 'a').mkdir(parents=True)
    Image.fromarray(image).save(tmp_path / 'photos' / 'a' / 'b.jpg')
    out = tmp_path / 'out'
    assert make_maps(str(tmp_path / 'photos'), str(out)) == 1
    written = Image.open(out / 'a' / 'b.png')
    assert written.mode == 'L' and written.size == (60, 40)
    (out / 'a' / 'b.png').write_bytes(b'kept')
    make_maps(str(tmp_path / 'photos'), str(out))
    assert (out / 'a' / 'b.png').read_bytes() == b'kept'
    (tmp_path / 'empty').mkdir()
    with pytest.raises(ValueError, match='there is no image in'):
        make_maps(str(tmp_path / 'empty'), str(out))


def test_defaults_of_the_paper():
    voc, coco = CONFIGS.load('eps_wide-r38_voc'), CONFIGS.load('eps_wide-r38_coco')
    for cfg, mix, batch, crop in ((voc, 0.5, 8, 448), (coco, 0.9, 16, 321)):
        loss = cfg.model.decode_head.loss_saliency
        assert (loss.threshold, loss.mix) == (0.4, mix)
        assert cfg.train_dataloader.batch_size == batch
        assert cfg.train_dataloader.dataset.pipeline[-2].crop_size == (crop, crop)
        assert cfg.model.data_preprocessor.size == (crop, crop)
    head = build(CONFIGS.load('ppc_seam_wide-r38_voc')).decode_head
    assert (head.background_score, head.top_ratio) == (0.2, 1 / 8)
    assert head.full_size and head.dropout is not None
    head = build(CONFIGS.load('ppc_eps_wide-r38_voc')).decode_head
    assert (head.background_score, head.top_ratio) == (0.1, 1 / 16)
    assert not head.full_size and head.dropout is None
    losses = (head.loss_cross_prototype, head.loss_cross_label,
              head.loss_intra_view)
    assert all((loss.temperature, loss.loss_weight) == (0.1, 0.1)
               for loss in losses)
    fsae = CONFIGS.load('fsae_ppc_eps_wide-r38_voc')
    assert fsae.train_cfg.max_iters == 40000
    assert CONFIGS.load('fsae_ppc_eps_wide-r38_coco').custom_hooks[0].momentum == 0.001
    assert fsae.optim_wrapper.optimizer.lr == 0.01
    assert fsae.model.loss_fsae == dict(type='FSAELoss')
