# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""What every model must pass.

A test class inherits :class:`WeakModelTester` and gives ``model_cfg``. Our own
models are all in ``test_every_model.py``; what is special about one stands in the
file of its method, in a class that inherits :class:`ModelCase`.
"""

import copy

import numpy as np
import pytest
import torch
from mmengine.optim import OptimWrapper
from mmengine.structures import PixelData
from mmseg.models import ResNet
from mmseg.models.backbones.resnet import BasicBlock
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import nn
from torch.optim import SGD

from mmwsss.models.backbones import StemResNet


@MODELS.register_module(force=True)
class ResNet10(ResNet):
    """One block a stage: as a ResNet-18, built and run in half its time."""

    arch_settings = {10: (BasicBlock, (1, 1, 1, 1))}


@MODELS.register_module(force=True)
class StemResNet10(StemResNet):
    """As :class:`ResNet10`, and what leaves its stem."""

    arch_settings = ResNet10.arch_settings


@MODELS.register_module(force=True)
class FourLayers(nn.Module):
    """Four features of strides 4, 8, 8 and 8, of a convolution each.

    In place of a ResNet where a test is about the head or the segmentor.
    """

    def __init__(self, widths: tuple = (4, 8, 16, 32), frozen: bool = True) -> None:
        super().__init__()
        for i, (inputs, width, stride) in enumerate(
                zip((3, *widths), widths, (4, 2, 1, 1), strict=False)):
            layer = nn.Conv2d(inputs, width, 3, stride, 1)
            nn.init.kaiming_normal_(layer.weight)
            self.add_module(f'layer{i + 1}', layer)
        self.layer1.requires_grad_(not frozen)

    def forward(self, x):
        features = []
        for layer in self.children():
            x = layer(x).relu()
            features.append(x)
        return features


NUM_CLASSES = 4
SIZE = (32, 32)
PREPROCESSOR = dict(
    type='SegDataPreProcessor',
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    bgr_to_rgb=True,
    pad_val=0,
    seg_pad_val=255,
    size=SIZE)
BACKBONE = dict(
    type='ResNet10',
    depth=10,
    stem_channels=8,
    base_channels=4,
    num_stages=4,
    out_indices=(0, 1, 2, 3),
    strides=(1, 2, 1, 1),
    dilations=(1, 1, 1, 1),
    norm_eval=True,
    frozen_stages=1)
LAYERS = dict(type='FourLayers')


def make_batch(num: int = 2, size: tuple = SIZE, seed: int = 0) -> dict:
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
                    tags=labels)))
    return dict(inputs=inputs, data_samples=samples)


def strong_batch(**options) -> dict:
    """A batch whose strong view is another image, half of it padding."""
    batch = make_batch(**options)
    other = make_batch(seed=1, **options)
    for sample, image in zip(
            batch['data_samples'], other['inputs'], strict=True):
        sample.strong_img = PixelData(data=image)
        sample.set_metainfo(dict(valid_box=(0, 0, 16, 32)))
    return batch


def pixel_batch(num: int = 2, size: tuple = SIZE, seed: int = 0,
                num_classes: int = NUM_CLASSES) -> dict:
    """A batch with label maps of squares, some undecided, and saliency."""
    batch = make_batch(num, size, seed)
    generator = torch.Generator().manual_seed(seed)
    for sample in batch['data_samples']:
        cells = [-(-side // 8) for side in size]
        label = torch.randint(num_classes, (1, *cells), generator=generator)
        label = label.repeat_interleave(8, 1).repeat_interleave(8, 2)
        label = label[:, :size[0], :size[1]]
        label[:, :5] = 255
        sample.gt_sem_seg = PixelData(data=label)
        saliency = torch.randint(256, (1, *size), generator=generator)
        sample.gt_saliency = PixelData(data=saliency.byte())
    return batch


def make_views(image: torch.Tensor, sizes: tuple = (), tags=None) -> dict:
    """An image in some sizes, each with its mirror image, as TestTimeAug does."""
    size = tuple(image.shape[1:])
    inputs, samples = [], []
    for one in sizes or (size, ):
        scaled = nn.functional.interpolate(image[None].float(), one)[0].byte()
        for flip in (False, True):
            sample = SegDataSample(metainfo=dict(
                img_path='a.jpg', ori_shape=size, img_shape=one, flip=flip,
                flip_direction='horizontal'))
            if tags is not None:
                sample.set_metainfo(dict(tags=np.uint8(tags)))
            inputs.append([scaled.flip(-1) if flip else scaled])
            samples.append([sample])
    return dict(inputs=inputs, data_samples=samples)


_BUILT: dict = {}


class ModelCase:
    """A model that tests build, and the batches it sees."""

    model_cfg: dict
    stages: tuple = (None, )
    batch = staticmethod(make_batch)

    def build(self, stage: str | None = None):
        """A model of its own for a test."""
        return copy.deepcopy(self.shared(stage))

    def shared(self, stage: str | None = None):
        """As :meth:`build`, one for all tests: they may change its state only."""
        key = repr(self.model_cfg)
        if key not in _BUILT:
            torch.manual_seed(0)
            model = MODELS.build(copy.deepcopy(self.model_cfg))
            model.init_weights()
            _BUILT[key] = (model, copy.deepcopy(model.state_dict()),
                           getattr(model, 'stage', None), model.training)
        model, state, first, training = _BUILT[key]
        model.load_state_dict(state)
        model.zero_grad(set_to_none=True)
        model.train(training)
        if stage or first:
            model.switch_stage(stage or first)
        # Layers that draw when they are first called draw the same.
        torch.manual_seed(0)
        return model

    def losses(self, model):
        data = model.data_preprocessor(self.batch(), training=True)
        return model.parse_losses(model(**data, mode='loss'))


def build_model(cfg: dict, stage: str | None = None):
    """A model of its own for a test, as all that have this config begin."""
    case = ModelCase()
    case.model_cfg = cfg
    return case.build(stage)


def loss_dict(model, batch: dict) -> dict:
    """The losses of a batch, by their names."""
    return model(**model.data_preprocessor(batch, training=True), mode='loss')


class ModelTester(ModelCase):
    """Loss, gradients, training, saving and resuming of one model."""

    trains_statistics = False
    """bool: Whether running statistics follow the training."""

    def test_every_trainable_parameter_learns_and_resumes(self):
        """In each stage nothing else changes; in the last, a copy goes on bit by bit.

        Files, in all stages: tests/test_engine/test_exact_resume.py.
        """
        for stage in self.stages:
            model = self.shared(stage).train()
            before = copy.deepcopy(model.state_dict())
            optimizer = _optimizer(model)
            loss, logs = self.losses(model)
            assert torch.isfinite(loss)
            assert all(torch.isfinite(torch.as_tensor(v)) for v in logs.values())
            loss.backward()
            for name, parameter in model.named_parameters():
                has_gradient = parameter.grad is not None
                assert has_gradient == parameter.requires_grad, (stage, name)
            optimizer.step()
            if stage == self.stages[-1]:
                saved = copy.deepcopy(dict(
                    model=model.state_dict(), optimizer=optimizer.state_dict()))
                optimizer.zero_grad()
                logs = self._second_step(model, optimizer)
            learns = {n for n, p in model.named_parameters() if p.requires_grad}
            state = model.state_dict()
            changed = {
                name for name, value in state.items()
                if not torch.equal(value, before[name])
            }
            assert changed & learns, stage
            for name in changed - learns:
                assert self.trains_statistics and name.rpartition('.')[2] in (
                    'running_mean', 'running_var', 'num_batches_tracked'), name

        torch.manual_seed(1)
        other = MODELS.build(copy.deepcopy(self.model_cfg))
        other.load_state_dict(saved['model'])
        if stage is not None:
            other.switch_stage(stage)
        optimizer = _optimizer(other.train())
        optimizer.load_state_dict(saved['optimizer'])
        resumed = self._second_step(other, optimizer)
        assert set(resumed) == set(logs)
        for name, value in logs.items():
            assert torch.equal(resumed[name], value), name
        for name, value in other.state_dict().items():
            assert torch.equal(value, state[name]), name

    def _second_step(self, model, optimizer) -> dict:
        torch.manual_seed(2)
        return model.train_step(self.batch(), OptimWrapper(optimizer))


def _optimizer(model) -> SGD:
    return SGD([p for p in model.parameters() if p.requires_grad], lr=0.1,
               momentum=0.9, weight_decay=0.1)


class WeakModelTester(ModelTester):
    """And predictions and errors, of a model of image labels."""

    def test_predict(self):
        """Shapes and ranges; loss, prediction and inference read one answer."""
        answers = []
        for stage in self.stages:
            model = self.shared(stage).eval()
            hook = model.decode_head.register_forward_hook(
                lambda module, inputs, output: answers.append(output))
            answers.clear()
            with torch.no_grad():
                results = model.test_step(make_batch())
            hook.remove()
            answer, = answers
            assert len(results) == 2
            torch.testing.assert_close(
                torch.stack([one.pred_label_scores for one in results]),
                answer.logits.sigmoid())
            for result in results:
                height, width = result.ori_shape
                scores = result.seg_logits.data
                assert scores.shape == (NUM_CLASSES, height, width)
                mask = result.pred_sem_seg.data
                assert mask.shape == (1, height, width)
                present = set(np.flatnonzero(result.tags))
                assert set(mask.unique().tolist()) <= present
                seed = result.full_seed
                assert seed.labels.tolist() == sorted(present - {0})
                assert seed.scores.shape[1:] == (height, width)
                assert 0 <= seed.scores.min() and seed.scores.max() <= 1
                assert result.pred_label_scores.shape == (NUM_CLASSES - 1, )

    def test_images_alone(self):
        """Without samples, and of any size."""
        model = self.shared(self.stages[-1]).eval()
        with torch.no_grad():
            results = model(torch.rand(2, 3, 32, 32), mode='predict')
            class_maps = model.class_maps(torch.rand(2, 3, 40, 24))
        assert results[0].seg_logits.shape == (32, 32)
        assert len(results[0].full_seed.labels) == NUM_CLASSES - 1
        for maps in (class_maps.maps, class_maps.maps_of_seeds):
            assert maps.shape[:2] == (2, NUM_CLASSES - 1)
        assert class_maps.logits.shape == (2, NUM_CLASSES - 1)

    def test_labels_of_another_class_count(self):
        model = self.shared().train()
        batch = self.batch()
        for sample in batch['data_samples']:
            sample.set_metainfo(dict(tags=np.ones(7, np.uint8)))
        data = model.data_preprocessor(batch, training=True)
        with pytest.raises(ValueError, match='7 classes.*num_classes=4'):
            model(**data, mode='loss')
