# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmseg.registry import MODELS
from model_cases import WEAK
from model_tester import NUM_CLASSES, build_model, loss_dict, make_batch

from mmwsss.structures import ClassMaps


@pytest.fixture
def model():
    return build_model(WEAK['cam']).eval()


def test_pooling_before_or_after_the_classifier_is_the_same(model):
    feats = model.extract_feat(torch.rand(2, 3, 32, 32))
    head = model.decode_head
    pooled_first = head.classifier(feats[-1].mean((2, 3), keepdim=True))
    torch.testing.assert_close(head(feats).logits, pooled_first.flatten(1))


def test_prediction_against_naive(model):
    maps = torch.randn(1, NUM_CLASSES - 1, 8, 8)
    labels = np.array([1, 0, 1, 1], np.uint8)
    meta = dict(img_shape=(8, 8), tags=labels)
    class_maps = ClassMaps(maps, maps.mean((2, 3)))
    scores = model.decode_head.predict_by_feat(class_maps, [meta])[0]
    assert (scores[0] == model.decode_head.bg_thr).all()
    for c in range(1, NUM_CLASSES):
        expected = maps[0, c - 1].clamp(min=0)
        expected = labels[c] * expected / (expected.max() + 1e-5)
        torch.testing.assert_close(scores[c], expected)


def test_prediction_with_a_background_of_its_own(model):
    """Maps and background have one scale: neither is divided."""
    maps = torch.full((1, NUM_CLASSES - 1, 8, 8), 0.2)
    maps[:, 1, :, 4:] = 0.9
    maps[:, 0] = 0.95
    background = torch.full((1, 1, 8, 8), 0.7)
    labels = np.array([1, 0, 1, 1], np.uint8)
    class_maps = ClassMaps(
        -maps, maps.mean((2, 3)), seed_maps=maps, seed_background=background)
    scores = model.decode_head.predict_by_feat(
        class_maps, [dict(img_shape=(8, 8), tags=labels)])[0]
    expected = torch.cat([background, maps], dim=1)[0]
    expected[1] = 0
    torch.testing.assert_close(scores, expected)
    assert torch.equal(
        scores.argmax(0), (torch.arange(8) >= 4).long().mul(2).expand(8, 8))


def test_prediction_without_any_background(model):
    maps = torch.randn(1, NUM_CLASSES - 1, 8, 8)
    model.decode_head.bg_thr = None
    with pytest.raises(ValueError, match='CAMHead.*need bg_thr'):
        model.decode_head.predict_by_feat(
            ClassMaps(maps, maps.mean((2, 3))), [dict(img_shape=(8, 8))])


def test_without_labels_probable_classes_are_shown(model):
    maps = torch.ones(1, NUM_CLASSES - 1, 4, 4)
    maps[0, 1] = -1
    class_maps = ClassMaps(maps, maps.mean((2, 3)))
    scores = model.decode_head.predict_by_feat(
        class_maps, [dict(img_shape=(4, 4))])[0]
    assert scores[1].max() > 0.9 and scores[2].max() == 0


def test_frozen_parts_stay_in_evaluation():
    model = build_model(WEAK['cam_timm']).train()
    assert not model.backbone.timm_model.bn1.training
    assert model.decode_head.training


@pytest.mark.parametrize('name', ['cam', 'ngwp'])
def test_stock_segmentor(name):
    """Our heads also train and predict inside mmseg's own segmentor."""
    model = MODELS.build(ConfigDict(WEAK[name], type='EncoderDecoder'))
    assert set(loss_dict(model, make_batch())) == {'decode.loss_cls'}
    results = model.eval().test_step(make_batch())
    assert results[0].seg_logits.data.shape[0] == NUM_CLASSES


def test_mmsegs_head_in_our_segmentor():
    """It trains on label maps and predicts as in mmseg."""
    head = dict(type='FCNHead', in_channels=32, in_index=3, channels=4,
                num_classes=NUM_CLASSES, num_convs=1)
    cfg = ConfigDict(WEAK['cam'], decode_head=head)
    model = build_model(cfg).eval()
    result, = model.test_step(make_batch(num=1))
    assert result.seg_logits.data.shape[0] == NUM_CLASSES
    assert 'full_seed' not in result


def test_labels_of_a_head_without_weights():
    head = build_model(WEAK['cam']).decode_head
    head.classifier = torch.nn.Identity()
    labels = head.tags(make_batch()['data_samples'])
    assert labels.shape == (2, NUM_CLASSES - 1)
