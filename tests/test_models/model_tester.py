# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""What every registered image-label model must pass.

A test class inherits :class:`WeakModelTester` and gives ``model_cfg``.
"""

import copy

import numpy as np
import pytest
import torch
from mmengine.optim import OptimWrapper
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch.optim import SGD

NUM_CLASSES = 4
PREPROCESSOR = dict(
    type='SegDataPreProcessor',
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    bgr_to_rgb=True,
    pad_val=0,
    seg_pad_val=255,
    size=(32, 32))
BACKBONE = dict(
    type='ResNet',
    depth=18,
    base_channels=4,
    num_stages=4,
    out_indices=(0, 1, 2, 3),
    strides=(1, 2, 1, 1),
    dilations=(1, 1, 1, 1),
    norm_eval=True,
    frozen_stages=1)


def make_batch(num: int = 2, size: tuple = (32, 32), seed: int = 0) -> dict:
    """A batch as the data loader makes it: BGR bytes and image labels."""
    rng = np.random.default_rng(seed)
    inputs, samples = [], []
    for i in range(num):
        image = rng.integers(0, 256, (3, *size), dtype=np.uint8)
        inputs.append(torch.from_numpy(image))
        labels = np.zeros(NUM_CLASSES, np.uint8)
        labels[[0, 1 + i % (NUM_CLASSES - 1)]] = 1
        samples.append(
            SegDataSample(
                metainfo=dict(
                    img_id=str(i),
                    img_path=f'{i}.jpg',
                    img_shape=size,
                    ori_shape=(size[0] - 2, size[1] + 3),
                    image_labels=labels)))
    return dict(inputs=inputs, data_samples=samples)


class WeakModelTester:
    """Build, loss, backward, predict, save, load and stages of one model."""

    model_cfg: dict
    stages: tuple = (None, )

    def build(self, stage: str | None = None):
        torch.manual_seed(0)
        model = MODELS.build(copy.deepcopy(self.model_cfg))
        model.init_weights()
        if stage is not None:
            model.switch_stage(stage)
        return model

    def losses(self, model):
        data = model.data_preprocessor(make_batch(), training=True)
        return model.parse_losses(model(**data, mode='loss'))

    def test_every_trainable_parameter_gets_a_gradient(self):
        for stage in self.stages:
            model = self.build(stage).train()
            loss, logs = self.losses(model)
            assert torch.isfinite(loss)
            assert all(torch.isfinite(torch.as_tensor(v)) for v in logs.values())
            loss.backward()
            for name, parameter in model.named_parameters():
                has_gradient = parameter.grad is not None
                assert has_gradient == parameter.requires_grad, (stage, name)

    def test_training_changes_only_what_is_trainable(self):
        for stage in self.stages:
            model = self.build(stage).train()
            before = copy.deepcopy(model.state_dict())
            trainable = [p for p in model.parameters() if p.requires_grad]
            assert trainable
            optimizer = OptimWrapper(SGD(trainable, lr=0.1, weight_decay=0.1))
            for _ in range(2):
                model.train_step(make_batch(), optimizer)
            names = {n for n, p in model.named_parameters() if p.requires_grad}
            changed = {
                name
                for name, value in model.state_dict().items()
                if not torch.equal(value, before[name])
            }
            assert changed and changed <= names, stage

    def test_predict(self):
        for stage in self.stages:
            model = self.build(stage).eval()
            batch = make_batch()
            with torch.no_grad():
                results = model.test_step(batch)
            assert len(results) == 2
            for result in results:
                height, width = result.ori_shape
                scores = result.seg_logits.data
                assert scores.shape == (NUM_CLASSES, height, width)
                mask = result.pred_sem_seg.data
                assert mask.shape == (1, height, width)
                present = set(np.flatnonzero(result.image_labels))
                assert set(mask.unique().tolist()) <= present
                seed = result.full_seed
                assert seed.labels.tolist() == sorted(present - {0})
                assert seed.scores.shape[1:] == (height, width)
                assert 0 <= seed.scores.min() and seed.scores.max() <= 1
                assert result.pred_label_scores.shape == (NUM_CLASSES - 1, )

    def test_predict_without_samples(self):
        model = self.build(self.stages[-1]).eval()
        with torch.no_grad():
            results = model(torch.rand(2, 3, 32, 32), mode='predict')
        assert results[0].seg_logits.shape == (32, 32)
        assert len(results[0].full_seed.labels) == NUM_CLASSES - 1

    def test_class_maps(self):
        model = self.build(self.stages[-1]).eval()
        with torch.no_grad():
            images = torch.rand(2, 3, 40, 24)
            class_maps = model.class_maps(images)
        for maps in (class_maps.maps, class_maps.seed_maps):
            assert maps.shape[:2] == (2, NUM_CLASSES - 1)
        assert class_maps.logits.shape == (2, NUM_CLASSES - 1)

    def test_one_truth(self):
        """Loss, prediction and inference read one call of the head."""
        model = self.build(self.stages[-1]).eval()
        calls = []
        hook = model.decode_head.register_forward_hook(
            lambda module, inputs, output: calls.append(output))
        with torch.no_grad():
            results = model.test_step(make_batch())
        assert len(calls) == 1
        torch.testing.assert_close(
            torch.stack([one.pred_label_scores for one in results]),
            calls[0].logits.sigmoid())
        hook.remove()

    def test_save_and_load(self, tmp_path):
        model = self.build(self.stages[-1]).eval()
        path = tmp_path / 'model.pth'
        torch.save(model.state_dict(), path)
        torch.manual_seed(1)
        other = MODELS.build(copy.deepcopy(self.model_cfg)).eval()
        other.load_state_dict(torch.load(path, weights_only=True))
        if self.stages[-1] is not None:
            other.switch_stage(self.stages[-1])
        image = torch.rand(1, 3, 32, 32)
        with torch.no_grad():
            ours, theirs = model.class_maps(image), other.class_maps(image)
            assert torch.equal(ours.maps, theirs.maps)
            assert torch.equal(ours.seed_maps, theirs.seed_maps)

    def test_labels_of_another_class_count(self):
        model = self.build().train()
        batch = make_batch()
        for sample in batch['data_samples']:
            sample.set_metainfo(dict(image_labels=np.ones(7, np.uint8)))
        data = model.data_preprocessor(batch, training=True)
        with pytest.raises(ValueError, match='7 classes.*num_classes=4'):
            model(**data, mode='loss')
