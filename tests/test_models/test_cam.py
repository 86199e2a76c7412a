# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmseg.registry import MODELS
from model_tester import (
    BACKBONE,
    NUM_CLASSES,
    PREPROCESSOR,
    ModelCase,
    make_batch,
)

from mmwsss.structures import ClassMaps


class TestCAM(ModelCase):
    model_cfg = dict(
        type='WeakSegmentor',
        data_preprocessor=PREPROCESSOR,
        backbone=BACKBONE,
        decode_head=dict(
            type='CAMHead', in_channels=32, num_classes=NUM_CLASSES),
        test_cfg=dict(mode='whole'))

    def test_pooling_before_or_after_the_classifier_is_the_same(self):
        model = self.build().eval()
        feats = model.extract_feat(torch.rand(2, 3, 32, 32))
        head = model.decode_head
        pooled_first = head.classifier(feats[-1].mean((2, 3), keepdim=True))
        torch.testing.assert_close(head(feats).logits, pooled_first.flatten(1))

    def test_prediction_against_naive(self):
        model = self.build().eval()
        maps = torch.randn(1, NUM_CLASSES - 1, 8, 8)
        labels = np.array([1, 0, 1, 1], np.uint8)
        meta = dict(img_shape=(8, 8), image_labels=labels)
        class_maps = ClassMaps(maps, maps.mean((2, 3)))
        scores = model.decode_head.predict_by_feat(class_maps, [meta])[0]
        assert (scores[0] == model.decode_head.bg_thr).all()
        for c in range(1, NUM_CLASSES):
            expected = maps[0, c - 1].clamp(min=0)
            expected = labels[c] * expected / (expected.max() + 1e-5)
            torch.testing.assert_close(scores[c], expected)

    def test_without_labels_probable_classes_are_shown(self):
        head = self.build().decode_head
        maps = torch.ones(1, NUM_CLASSES - 1, 4, 4)
        maps[0, 1] = -1
        class_maps = ClassMaps(maps, maps.mean((2, 3)))
        scores = head.predict_by_feat(class_maps, [dict(img_shape=(4, 4))])[0]
        assert scores[1].max() > 0.9 and scores[2].max() == 0

    def test_stages_are_refused(self):
        with pytest.raises(ValueError, match='CAMHead has no stages'):
            self.build().switch_stage('expand')


class TestFrozenTIMM(ModelCase):
    model_cfg = dict(
        type='WeakSegmentor',
        data_preprocessor=PREPROCESSOR,
        backbone=dict(
            type='mmpretrain.TIMMBackbone',
            model_name='resnet18',
            features_only=True,
            layers=(1, 1, 1, 1),
            channels=(4, 8, 8, 16),
            out_indices=(1, 2, 3, 4)),
        norm_eval=True,
        frozen=('timm_model.conv1', 'timm_model.bn1', 'timm_model.layer1'),
        decode_head=dict(
            type='CAMHead',
            in_channels=16,
            num_classes=NUM_CLASSES,
            dropout_ratio=0.5),
        test_cfg=dict(mode='whole'))

    def test_statistics_stay(self):
        model = self.build().train()
        assert not model.backbone.timm_model.bn1.training
        assert model.decode_head.training

    def test_unknown_prefix(self):
        cfg = dict(self.model_cfg, frozen=('timm_model.stem', ))
        with pytest.raises(ValueError, match='timm_model.stem'):
            MODELS.build(cfg)


def test_stock_segmentor_with_cam_head():
    """A CAMHead also trains and predicts inside mmseg's own segmentor."""
    model = MODELS.build(ConfigDict(TestCAM.model_cfg, type='EncoderDecoder'))
    data = model.data_preprocessor(make_batch(), training=True)
    losses = model(**data, mode='loss')
    assert set(losses) == {'decode.loss_cls'}
    results = model.eval().test_step(make_batch())
    assert results[0].seg_logits.data.shape[0] == NUM_CLASSES


def test_too_few_classes():
    with pytest.raises(ValueError, match='at least 2'):
        MODELS.build(dict(type='CAMHead', in_channels=4, num_classes=1))
