# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Every registered model passes the common tester; cases are in model_cases.py."""

import pytest
import torch
from mmseg.registry import MODELS
from model_cases import PIXEL, STAGES, WEAK
from model_tester import (
    BACKBONE,
    NUM_CLASSES,
    ModelTester,
    WeakModelTester,
    build_model,
    loss_dict,
    make_batch,
    pixel_batch,
    strong_batch,
)


class TestWeakModels(WeakModelTester):

    @pytest.fixture(autouse=True, params=WEAK)
    def case(self, request):
        name = request.param
        self.model_cfg = WEAK[name]
        self.stages = STAGES.get(name, (None, ))
        self.batch = strong_batch if 'fsae' in name else make_batch
        self.trains_statistics = 'ngwp' in name


PREDICTS = dict(irn=None, psa=None, psa_groups=None, contour='pred_boundary')


class TestPixelModels(ModelTester):

    @pytest.fixture(autouse=True, params=PIXEL)
    def case(self, request):
        self.name = request.param
        self.model_cfg = PIXEL[self.name]
        self.batch = pixel_batch
        self.trains_statistics = self.name.startswith('deeplab')

    def test_predict(self):
        model = self.shared().eval()
        field = PREDICTS.get(self.name, 'pred_sem_seg')
        with torch.no_grad():
            if field is None:
                head = type(model.decode_head).__name__
                with pytest.raises(ValueError, match=f'{head} predicts .*walk_seeds'):
                    model.test_step(make_batch())
                return
            results = model.test_step(make_batch())
        for result in results:
            data = result.get(field).data
            assert data.shape == (1, *result.ori_shape)
            top = 1 if field == 'pred_boundary' else NUM_CLASSES - 1
            assert 0 <= data.min() and data.max() <= top


@pytest.mark.parametrize('cfg, batch, stage, names', [
    (WEAK['seam'], make_batch, None, {
        'decode.loss_cls', 'decode.loss_rvmin', 'decode.loss_er',
        'decode.loss_ecr'}),
    (WEAK['ngwp'], make_batch, 'pretrain', {'decode.loss_cls'}),
    (WEAK['ngwp'], make_batch, 'self_train', {
        'decode.loss_cls', 'decode.loss_mask', 'decode.kept', 'decode.decided'}),
    (PIXEL['irn'], pixel_batch, None, {
        'decode.loss_affinity', 'aux.loss_displacement_fg',
        'aux.loss_displacement_bg'}),
])
def test_names_of_losses(cfg, batch, stage, names):
    assert set(loss_dict(build_model(cfg, stage), batch())) == names


BACKBONES = [
    dict(type='CaffeResNet', depth=50, base_channels=2),
    dict(BACKBONE, type='StemResNet', depth=18),
    dict(type='VGG16FC7'),
    dict(type='VGG16LargeFOV'),
    dict(type='WideResNet38', base_channels=2),
]


@pytest.mark.parametrize('cfg', BACKBONES, ids=lambda cfg: cfg['type'])
def test_backbone(cfg):
    with torch.device('meta'):
        backbone = MODELS.build(cfg)
        assert backbone.train() in (backbone, None)
        outputs = backbone(torch.rand(1, 3, 17, 17))
        sum(one.sum() for one in outputs).backward()
    for name, parameter in backbone.named_parameters():
        assert parameter.requires_grad == (parameter.grad is not None), name
    assert any(parameter.requires_grad for parameter in backbone.parameters())


def test_every_registered_part_has_a_case():
    def types(value):
        if isinstance(value, dict):
            yield value.get('type')
            for one in value.values():
                yield from types(one)

    tested = {cfg['type'] for cfg in BACKBONES}
    for cases in (WEAK, PIXEL):
        for cfg in cases.values():
            tested |= set(types(cfg))
            case = ModelTester()
            case.model_cfg = cfg
            model = case.shared()
            tested |= {type(one).__name__ for one in model.modules()}
    rooms = tuple(f'mmwsss.models.{room}.' for room in (
        'backbones', 'heads', 'losses', 'segmentors'))
    ours = {name for name, part in MODELS.module_dict.items()
            if part.__module__.startswith(rooms)}
    assert len(ours) > 30
    assert ours <= tested, ours - tested
