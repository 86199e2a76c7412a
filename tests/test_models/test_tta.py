# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.models import SegDataPreProcessor
from mmseg.structures import SegDataSample
from PIL import Image
from torch import nn
from torch.nn import functional as F

from mmwsss.models.tta import CAMTTAModel, SegmentorTTAModel
from mmwsss.structures import ClassMaps

CLASSES = 5
SCALES = (1, .5, 1.5, 2)
MEAN, STD = (123.7, 116.3, 103.5), (58.4, 57.1, 57.4)


class TinyModel(nn.Module):
    """What CAMTTAModel asks of a segmentor, at stride 16."""

    def __init__(self, **preprocessing):
        super().__init__()
        torch.manual_seed(0)
        self.data_preprocessor = SegDataPreProcessor(
            mean=MEAN, std=STD, bgr_to_rgb=True, **preprocessing)
        self.convs = nn.Sequential(
            nn.Conv2d(3, 8, 3, 4, 1), nn.Tanh(),
            nn.Conv2d(8, CLASSES - 1, 3, 4, 1))
        self.batches = []

    def class_maps(self, inputs):
        self.batches.append(tuple(inputs.shape))
        maps = self.convs(inputs)
        return ClassMaps(maps, maps.mean((2, 3)))

    def test_step(self, data):
        raise AssertionError('seeds need raw maps')


def make_image(size, seed=0):
    """RGB uint8 (H, W, 3), as PIL reads a file."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (5, 6, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize(size[::-1]))


def make_batch(images, labels, scales=SCALES, flips=(False, True), gts=None):
    """The output of the loader: augmentations, then images."""
    inputs, samples = [], []
    for scale in scales:
        for flip in flips:
            views, metas = [], []
            for i, image in enumerate(images):
                height, width = image.shape[:2]
                view = np.asarray(
                    Image.fromarray(image).resize(
                        (round(width * scale), round(height * scale)),
                        Image.BICUBIC))
                if flip:
                    view = view[:, ::-1]
                bgr = np.ascontiguousarray(view[..., ::-1])
                views.append(torch.from_numpy(bgr).permute(2, 0, 1))
                sample = SegDataSample(metainfo=dict(
                    img_path=f'{i}.jpg', img_id=str(i), flip=flip,
                    flip_direction='horizontal' if flip else None,
                    ori_shape=(height, width), img_shape=view.shape[:2]))
                if labels[i] is not None:
                    sample.set_metainfo(dict(tags=labels[i]))
                if gts is not None:
                    gt = gts[i][:, ::-1].copy() if flip else gts[i]
                    sample.gt_sem_seg = PixelData(
                        data=torch.from_numpy(gt)[None])
                metas.append(sample)
            inputs.append(views)
            samples.append(metas)
    return dict(inputs=inputs, data_samples=samples)


def naive_irn(model, image, labels):
    """IRN's inference, written from its description."""
    height, width = image.shape[:2]
    sums = []
    for scale in SCALES:
        size = (int(np.round(width * scale)), int(np.round(height * scale)))
        view = Image.fromarray(image).resize(size, Image.Resampling.BICUBIC)
        view = (np.asarray(view, np.float32) - MEAN) / STD
        pair = np.stack([view, view[:, ::-1]]).transpose(0, 3, 1, 2)
        maps = model.convs(torch.from_numpy(pair.copy()).float()).clamp(min=0)
        sums.append(maps[0] + torch.flip(maps[1], [2]))
    present = np.flatnonzero(labels[1:])
    stride_4 = (len(range(0, height, 4)), len(range(0, width, 4)))
    padded = ((height + 15) // 16 * 16, (width + 15) // 16 * 16)
    products = []
    for size in (stride_4, padded):
        merged = torch.zeros(CLASSES - 1, *size)
        for one in sums:
            for channel in range(CLASSES - 1):
                merged[channel] += F.interpolate(
                    one[None, channel:channel + 1], size, mode='bilinear',
                    align_corners=False)[0, 0]
        merged = merged[present, :height, :width]
        for one in merged:
            one /= one.max() + 1e-5
        products.append(merged)
    return products


@pytest.mark.parametrize('size', [(45, 61), (64, 48), (33, 35)])
def test_parity_with_irn(size):
    model = TinyModel().eval()
    image = make_image(size)
    labels = np.array([1, 0, 1, 0, 1], np.uint8)
    with torch.no_grad():
        strided, full = naive_irn(model, image, labels)
    result, = CAMTTAModel(model).test_step(make_batch([image], [labels]))
    assert result.seed.labels.tolist() == [2, 4]
    assert result.seed.size == result.full_seed.size == size
    torch.testing.assert_close(result.seed.scores, strided, atol=1e-5, rtol=0)
    torch.testing.assert_close(
        result.full_seed.scores, full, atol=1e-5, rtol=0)


def test_one_batch_for_each_scale():
    model = TinyModel().eval()
    CAMTTAModel(model).test_step(
        make_batch([make_image((45, 61))], [np.ones(CLASSES)]))
    # Half to even: 22.5 -> 22, 30.5 -> 30, 67.5 -> 68, 91.5 -> 92.
    assert model.batches == [(2, 3, 45, 61), (2, 3, 22, 30), (2, 3, 68, 92),
                             (2, 3, 90, 122)]


def test_order_of_augmentations_does_not_matter():
    tta = CAMTTAModel(TinyModel().eval())
    image, labels = make_image((40, 50)), np.ones(CLASSES, np.uint8)
    data = make_batch([image], [labels])
    expected, = tta.test_step(data)
    shuffled = {key: value[::-1] for key, value in data.items()}
    result, = tta.test_step(shuffled)
    torch.testing.assert_close(
        result.full_seed.scores, expected.full_seed.scores)
    assert not result.flip


def test_batches_of_several_images():
    tta = CAMTTAModel(TinyModel().eval())
    images = [make_image((40, 50)), make_image((33, 20), 1)]
    labels = [np.array([1, 1, 0, 0, 0]), np.array([1, 0, 0, 1, 1])]
    results = tta.test_step(make_batch(images, labels))
    for image, label, result in zip(images, labels, results, strict=True):
        alone, = tta.test_step(make_batch([image], [label]))
        assert torch.equal(result.seed.scores, alone.seed.scores)


def test_carries_over():
    model = TinyModel().eval()
    image = make_image((40, 50))
    gt = np.arange(2000).reshape(40, 50) % CLASSES
    labels = np.array([1, 1, 1, 0, 0], np.uint8)
    tta = CAMTTAModel(model, bg_thr=0.4)
    result, = tta.test_step(
        make_batch([image], [labels], flips=(True, False), gts=[gt]))
    assert np.array_equal(result.gt_sem_seg.data[0].numpy(), gt)
    assert np.array_equal(result.tags, labels)
    mask = result.full_seed.to_mask(0.4)
    assert torch.equal(result.pred_sem_seg.data[0], mask.long())
    with torch.no_grad():
        data = make_batch([image], [labels])
        logits = [
            model.convs(model.data_preprocessor(
                dict(inputs=images, data_samples=samples))['inputs']).mean(
                    (2, 3)).sigmoid()
            for images, samples in zip(*data.values(), strict=True)
        ]
    torch.testing.assert_close(
        result.pred_label_scores, torch.cat(logits).mean(0))


def test_without_labels():
    model = TinyModel().eval()
    data = make_batch([make_image((40, 50))], [None])
    result, = CAMTTAModel(model).test_step(data)
    assert result.seed.labels.tolist() == [1, 2, 3, 4]
    second = float(result.pred_label_scores.sort().values[1])
    kept, = CAMTTAModel(model, score_thr=second).test_step(data)
    assert len(kept.seed.labels) == 2


def test_image_without_tags():
    data = make_batch([make_image((40, 50))], [np.array([1, 0, 0, 0, 0])])
    result, = CAMTTAModel(TinyModel().eval()).test_step(data)
    assert result.seed.scores.shape == (0, 10, 13)
    assert not result.pred_sem_seg.data.any()


def test_stride_4_only():
    data = make_batch([make_image((40, 50))], [np.ones(CLASSES)])
    result, = CAMTTAModel(TinyModel().eval(), full_size=False).test_step(data)
    assert 'full_seed' not in result and 'seed' in result


def test_bad_input():
    image = make_image((40, 50))
    tta = CAMTTAModel(TinyModel().eval())
    with pytest.raises(ValueError, match='0.jpg.*flipped'):
        tta.test_step(make_batch([image], [None], flips=(True, )))
    with pytest.raises(ValueError, match='0.jpg.*7 classes.*num_classes=5'):
        tta.test_step(make_batch([image], [np.ones(7)]))
    padding = TinyModel(test_cfg=dict(size_divisor=32)).eval()
    with pytest.raises(ValueError, match='must not pad'):
        CAMTTAModel(padding).test_step(make_batch([image], [None]))
    broken = TinyModel().eval()
    nn.init.constant_(broken.convs[-1].bias, torch.nan)
    with pytest.raises(ValueError, match='0.jpg.*NaN'):
        CAMTTAModel(broken).test_step(make_batch([image], [None]))


def test_power_and_min_max():
    """The square root of PSA's VGG and the normalisation of SEAM."""
    image, labels = make_image((21, 30)), np.ones(CLASSES, np.uint8)
    data = make_batch([image], [labels], scales=(1, ), flips=(False, ))
    model = TinyModel().eval()
    result, = CAMTTAModel(model, power=0.5, min_max=True).test_step(data)
    with torch.no_grad():
        inputs = model.data_preprocessor(
            dict(inputs=data['inputs'][0], data_samples=data['data_samples'][0]))
        maps = F.interpolate(
            model.convs(inputs['inputs']).relu().sqrt(), size=(6, 8),
            mode='bilinear', align_corners=False)[0]
    for one, score in zip(maps, result.seed.scores, strict=True):
        low, high = one.min(), one.max()
        expected = ((one - low - 1e-5) / (high - low + 1e-5)).clamp(min=0)
        torch.testing.assert_close(score, expected)


def test_seeds_with_a_background_of_their_own():
    """Maps for seeds and their background merge; logits stay those trained."""

    class WithBackground(TinyModel):

        def class_maps(self, inputs):
            class_maps = super().class_maps(inputs)
            maps = class_maps.maps
            return ClassMaps(
                maps, class_maps.logits, seed_maps=(maps[..., ::2] + 1) / 3,
                seed_background=maps[:, :1, :, ::2].sigmoid())

    image, labels = make_image((20, 32)), np.array([1, 0, 1, 0, 1])
    data = make_batch([image], [labels], scales=(1, ))
    model = WithBackground().eval()
    result, = CAMTTAModel(model, full_size=False).test_step(data)
    plain, = CAMTTAModel(TinyModel().eval()).test_step(data)
    torch.testing.assert_close(
        result.pred_label_scores, plain.pred_label_scores)
    inputs = torch.cat([
        model.data_preprocessor(dict(inputs=one, data_samples=None))['inputs']
        for one in data['inputs']])
    with torch.no_grad():
        class_maps = model.class_maps(inputs)
    maps = torch.cat(
        [class_maps.seed_background, class_maps.seed_maps.clamp(min=0)], dim=1)
    merged = F.interpolate(
        (maps[0] + maps[1].flip(-1))[None], size=(5, 8), mode='bilinear',
        align_corners=False)[0]
    # Both have one scale: they are the means of the views.
    expected = merged / 2
    assert 0 < expected.max() < 1
    torch.testing.assert_close(result.seed.background, expected[0])
    torch.testing.assert_close(result.seed.scores, expected[[2, 4]])
    assert torch.equal(
        result.pred_sem_seg.data[0], result.seed.to_mask().long())


class MeanModel(TinyModel):
    """A perfect response: the mean of the colours in each cell."""

    def __init__(self, stride):
        super().__init__()
        self.stride = stride
        self.data_preprocessor = SegDataPreProcessor(mean=[0, 0, 0], std=[255] * 3)

    def class_maps(self, inputs):
        maps = F.avg_pool2d(
            inputs, self.stride, ceil_mode=True, count_include_pad=False)
        return ClassMaps(maps, maps.mean((2, 3)))


def test_perfect_response_at_stride_8():
    """IRN's rule, for stride 16, moves the seeds of a network of stride 8."""
    size = (333, 500)
    rows, columns = np.ogrid[:size[0], :size[1]]
    inside = ((rows - 200) / 100)**2 + ((columns - 460) / 40)**2 <= 1
    image = np.uint8(255) * inside[..., None].repeat(3, 2)
    iou = {}
    for divisor in (16, 1):
        model = CAMTTAModel(
            MeanModel(8).eval(), bg_thr=0.5, size_divisor=divisor)
        result, = model.test_step(make_batch([image], [np.array([1, 1, 0, 0])]))
        found = result.pred_sem_seg.data[0].numpy() > 0
        iou[divisor] = (found & inside).sum() / (found | inside).sum()
    assert iou[1] > 0.95
    assert iou[16] < iou[1] - 0.1


class TinySegmentor(TinyModel):
    """What SegmentorTTAModel asks of mmseg's EncoderDecoder."""

    align_corners = False

    def __init__(self, **preprocessing):
        super().__init__(**preprocessing)
        self.convs[2] = nn.Conv2d(8, CLASSES, 3, 4, 1)

    def encode_decode(self, inputs, metas):
        return F.interpolate(3 * self.convs(inputs), inputs.shape[2:], mode='bilinear')


class TestSegmentorTTA:

    def shares(self, model, image, labels, absent):
        """The scores of each class beside the background, view by view."""
        height, width = image.shape[:2]
        mean = torch.zeros(CLASSES, height, width)
        for scale in (1, .5):
            size = (round(width * scale), round(height * scale))
            view = Image.fromarray(image).resize(size, Image.Resampling.BICUBIC)
            view = (np.asarray(view, np.float32) - MEAN) / STD
            for flip in (False, True):
                one = view[:, ::-1].copy() if flip else view
                one = torch.from_numpy(one).permute(2, 0, 1)[None].float()
                logits = F.interpolate(
                    model.encode_decode(one, None), (height, width), mode='bilinear')
                probs = logits[0].softmax(0)
                mean += (probs.flip(-1) if flip else probs) / 4
        shown = [label for label in range(1, CLASSES) if labels[label]]
        if absent == 'shared':
            return torch.stack([
                (1 - mean[0]) * mean[label] / sum(mean[other] for other in shown)
                for label in shown])
        return torch.stack([mean[label] / (mean[label] + mean[0]) for label in shown])

    @pytest.mark.parametrize('absent', ['left_out', 'shared'])
    @pytest.mark.parametrize('labels', [[1, 0, 1, 0, 1], [1, 1, 0, 0, 0]])
    def test_against_naive(self, labels, absent):
        model = TinySegmentor().eval()
        image = make_image((33, 46))
        batch = make_batch([image], [np.array(labels)], scales=(1, .5))
        with torch.no_grad():
            result, = SegmentorTTAModel(model, absent=absent).test_step(batch)
            expected = self.shares(model, image, labels, absent)
        present = [label for label in range(1, CLASSES) if labels[label]]
        assert result.full_seed.labels.tolist() == present
        torch.testing.assert_close(
            result.full_seed.scores, expected, atol=1e-4, rtol=1e-3)
        assert result.seed.scores.shape == (len(expected), 9, 12)
        scores = result.full_seed.scores
        if absent == 'left_out':
            # At one half the mask is the model's own, without absent classes.
            assert torch.equal(
                result.full_seed.to_mask(.5).long(), result.pred_sem_seg.data[0])
        else:
            # What the model gives to any class goes to those that are shown.
            torch.testing.assert_close(
                scores.sum(0), 1 - result.seg_logits.data[0], atol=1e-5, rtol=0)

    def test_unknown_rule(self):
        with pytest.raises(ValueError, match="'renamed'"):
            SegmentorTTAModel(TinySegmentor().eval(), absent='renamed')

    @pytest.mark.parametrize('absent', ['left_out', 'shared'])
    def test_images_with_no_tag_and_without_tags(self, absent):
        tta = SegmentorTTAModel(TinySegmentor().eval(), absent=absent)
        image = make_image((20, 24))
        batch = make_batch([image, image], [np.array([1, 0, 0, 0, 0]), None])
        empty, all_shown = tta.test_step(batch)
        assert empty.seed.scores.shape == (0, 5, 6)
        assert not empty.pred_sem_seg.data.any()
        assert all_shown.seed.labels.tolist() == [1, 2, 3, 4]

    def test_padded_views_are_refused(self):
        model = TinySegmentor(size_divisor=32, test_cfg=dict(size_divisor=32)).eval()
        batch = make_batch([make_image((20, 24))], [np.array([1, 1, 0, 0, 0])])
        with pytest.raises(ValueError, match='must not pad'):
            SegmentorTTAModel(model).test_step(batch)
