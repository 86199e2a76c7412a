# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import os

import numpy as np
import pytest
import torch
from mmseg.models import SegDataPreProcessor
from mmseg.registry import TRANSFORMS
from PIL import Image, ImageFile

from mmwsss.datasets.image_io import read_mask, write_mask
from mmwsss.datasets.transforms import (
    ImageLabelsFromMask,
    LoadMask,
    LoadPILImage,
    PackWeakInputs,
    PILRescale,
    RandomCropPad,
    RandomResizeLong,
)

MEAN = (103.53, 116.28, 123.675)  # BGR


def noise(height, width, seed=0):
    rng = np.random.RandomState(seed)
    return rng.randint(0, 256, (height, width, 3)).astype(np.uint8)


def smooth(height, width):
    y, x = np.mgrid[:height, :width]
    return np.stack([2 * x, 3 * y, x + y], -1).astype(np.uint8)


def load(path, **kwargs):
    return LoadPILImage(**kwargs).transform(dict(img_path=str(path)))


class TestLoadImage:

    def test_is_bgr(self, tmp_path):
        rgb = noise(7, 5)
        Image.fromarray(rgb).save(tmp_path / 'a.png')
        results = load(tmp_path / 'a.png')
        assert results['img'].dtype == np.uint8
        assert results['img'].flags.c_contiguous
        assert np.array_equal(results['img'], rgb[..., ::-1])
        assert results['img_shape'] == results['ori_shape'] == (7, 5)

    @pytest.mark.parametrize('keep', [0.98, 0.6, 0.3])
    def test_truncated_jpeg_is_an_error(self, tmp_path, monkeypatch, keep):
        path = tmp_path / 'cut.jpg'
        Image.fromarray(noise(64, 64)).save(path)
        data = path.read_bytes()
        path.write_bytes(data[:int(len(data) * keep)])
        with pytest.raises(ValueError, match='cut.jpg.*truncated'):
            load(path)
        # Even where another library made Pillow tolerant.
        monkeypatch.setattr(ImageFile, 'LOAD_TRUNCATED_IMAGES', True)
        with pytest.raises(ValueError, match='cut.jpg.*truncated'):
            load(path)
        assert ImageFile.LOAD_TRUNCATED_IMAGES is True

    @pytest.mark.parametrize('orientation, turn', [
        (1, lambda a: a),
        (2, lambda a: a[:, ::-1]),
        (3, lambda a: a[::-1, ::-1]),
        (4, lambda a: a[::-1]),
        (5, lambda a: a.transpose(1, 0, 2)),
        (6, lambda a: np.rot90(a, -1)),
        (7, lambda a: np.rot90(a, 2).transpose(1, 0, 2)),
        (8, lambda a: np.rot90(a)),
    ])
    def test_exif_orientation(self, tmp_path, orientation, turn):
        path = tmp_path / 'turned.png'
        rgb = noise(6, 4)
        exif = Image.Exif()
        exif[0x0112] = orientation
        Image.fromarray(rgb).save(path, exif=exif)
        expected = turn(rgb)
        results = load(path)
        assert results['ori_shape'] == expected.shape[:2]
        assert np.array_equal(results['img'][..., ::-1], expected)
        stored = load(path, ignore_orientation=True)['img']
        assert np.array_equal(stored[..., ::-1], rgb)

    def test_grey(self, tmp_path):
        grey = noise(5, 6)[..., 0]
        Image.fromarray(grey).save(tmp_path / 'grey.png')
        img = load(tmp_path / 'grey.png')['img']
        assert np.array_equal(img, np.repeat(grey[..., None], 3, 2))

    @pytest.mark.parametrize('mode', ['RGBA', 'LA'])
    def test_alpha_is_dropped(self, tmp_path, mode):
        rgba = np.dstack([noise(5, 6), np.zeros((5, 6), np.uint8)])
        image = Image.fromarray(rgba).convert(mode)
        image.save(tmp_path / 'alpha.png')
        img = load(tmp_path / 'alpha.png')['img']
        expected = np.array(image)[..., :3] if mode == 'RGBA' else np.repeat(
            np.array(image)[..., :1], 3, 2)
        assert np.array_equal(img, expected[..., ::-1])

    def test_palette(self, tmp_path):
        rgb = np.zeros((4, 4, 3), np.uint8)
        rgb[:2] = (10, 200, 30)
        Image.fromarray(rgb).quantize(4).save(tmp_path / 'palette.png')
        img = load(tmp_path / 'palette.png')['img']
        assert np.array_equal(img, rgb[..., ::-1])

    def test_cmyk(self, tmp_path):
        image = Image.new('CMYK', (8, 6), (0, 255, 255, 0))  # red
        image.save(tmp_path / 'cmyk.jpg', quality=95)
        img = load(tmp_path / 'cmyk.jpg')['img']
        assert img.shape == (6, 8, 3)
        assert np.abs(img.astype(int) - (0, 0, 255)).max() <= 3

    def test_16_bit_grey_is_scaled_not_clipped(self, tmp_path):
        deep = np.array([[0, 255, 256, 32768, 65535]], dtype=np.uint16)
        Image.fromarray(deep).save(tmp_path / 'deep.png')
        img = load(tmp_path / 'deep.png')['img']
        assert img[0, :, 0].tolist() == [0, 0, 1, 128, 255]
        assert img.shape == (1, 5, 3)

    def test_largest_image(self, tmp_path):
        Image.fromarray(noise(20, 30)).save(tmp_path / 'a.png')
        with pytest.raises(ValueError, match='30x20 pixels'):
            load(tmp_path / 'a.png', max_pixels=599)
        assert load(tmp_path / 'a.png', max_pixels=600)['img_shape'] == (20, 30)

class TestLoadMask:

    def results(self, tmp_path, mask, size=(6, 5), **kwargs):
        path = tmp_path / 'mask.png'
        image = mask if isinstance(mask, Image.Image) else Image.fromarray(
            mask)
        image.save(path)
        return dict(
            dict(
                img_path='photo.jpg',
                seg_map_path=str(path),
                ori_shape=size,
                label_map=None,
                reduce_zero_label=False,
                seg_fields=[]), **kwargs)

    @pytest.mark.parametrize('mode', ['L', 'P'])
    def test_agrees_with_mmseg(self, tmp_path, mode):
        ids = np.random.RandomState(0).choice([0, 1, 7, 255], (6, 5))
        image = Image.fromarray(ids.astype(np.uint8))
        if mode == 'P':
            image.putpalette(list(range(256)) * 3)
        stock = TRANSFORMS.build(dict(type='LoadAnnotations'))
        for label_map in (None, {0: 0, 1: 255, 7: 1}):
            for reduce_zero in (False, True):
                extra = dict(
                    label_map=label_map, reduce_zero_label=reduce_zero)
                ours = LoadMask().transform(
                    self.results(tmp_path, image, **extra))
                stock.reduce_zero_label = None
                theirs = stock.transform(
                    self.results(tmp_path, image, **extra))
                assert ours['gt_seg_map'].dtype == np.uint8
                assert np.array_equal(ours['gt_seg_map'],
                                      theirs['gt_seg_map'])
                assert ours['seg_fields'] == ['gt_seg_map']

    def test_ids_of_no_class(self, tmp_path):
        mask = np.array([[0, 3], [255, 200]], np.uint8)
        results = self.results(tmp_path, mask, (2, 2))
        assert LoadMask().transform(results)['gt_seg_map'][1, 1] == 200
        with pytest.raises(ValueError, match='mask.png holds the id 200.*=5'):
            LoadMask().transform(dict(results, num_classes=5))
        # What counts is the class that an id is mapped to.
        kept = LoadMask().transform(
            dict(results, num_classes=5, label_map={200: 4}))
        assert kept['gt_seg_map'].tolist() == [[0, 3], [255, 4]]

    def test_ids_that_no_file_holds(self, tmp_path):
        for values in ([[1.7, np.nan]], [[300, 0]], [[-1, 0]]):
            with pytest.raises(ValueError, match='m.png: expected integer class'):
                write_mask(str(tmp_path / 'm.png'), np.array(values), [[0, 0, 0]])
        assert not (tmp_path / 'm.png').exists()
        mask = np.array([[0, 255]])
        write_mask(str(tmp_path / 'm.png'), mask, [[0, 0, 0]])
        assert np.array_equal(read_mask(str(tmp_path / 'm.png')), mask)

    def test_optional(self):
        results = dict(img_path='photo.jpg', seg_fields=[])
        assert LoadMask(optional=True).transform(dict(results)) == results
        with pytest.raises(ValueError, match='photo.jpg.*with_masks'):
            LoadMask().transform(results)


class TestPILRescale:

    @pytest.mark.parametrize('size, scale, expected', [
        ((5, 7), 0.5, (2, 4)),  # 2.5 -> 2 and 3.5 -> 4: halves to even
        ((3, 9), 0.5, (2, 4)),
        ((3, 5), 1.5, (4, 8)),
        ((5, 7), 2.0, (10, 14)),
        ((1, 9), 0.1, (1, 1)),
    ])
    def test_size_and_pixels(self, size, scale, expected):
        img = noise(*size)
        results = PILRescale(scale).transform(dict(img=img))
        assert results['img'].shape == (*expected, 3)
        assert results['img_shape'] == expected
        assert results['scale_factor'] == (expected[1] / size[1],
                                           expected[0] / size[0])
        # Channel by channel through Pillow, in RGB order.
        for channel in range(3):
            plain = Image.fromarray(img[..., channel]).resize(
                expected[::-1], Image.BICUBIC)
            assert np.array_equal(results['img'][..., channel], plain)

    def test_scale_one_changes_nothing(self):
        img = noise(9, 8)
        results = PILRescale(1.0).transform(dict(img=img.copy()))
        assert np.array_equal(results['img'], img)

    def test_mask_stays(self):
        mask = np.eye(9, 8, dtype=np.uint8)
        results = PILRescale(2.0).transform(
            dict(
                img=noise(9, 8),
                gt_seg_map=mask.copy(),
                seg_fields=['gt_seg_map']))
        assert np.array_equal(results['gt_seg_map'], mask)

    @pytest.mark.parametrize('scale', [0, -1, float('nan')])
    def test_bad_scale(self, scale):
        with pytest.raises(ValueError, match='scale above 0'):
            PILRescale(scale)


class TestRandomResizeLong:

    def test_range_is_inclusive_and_ratio_kept(self):
        np.random.seed(0)
        transform = RandomResizeLong(10, 13)
        sides = set()
        for _ in range(60):
            results = transform.transform(dict(img=smooth(20, 30)))
            height, width = results['img'].shape[:2]
            sides.add(width)
            assert height == int(np.round(20 * width / 30))
            assert results['img_shape'] == (height, width)
        assert sides == {10, 11, 12, 13}

    def test_portrait(self):
        results = RandomResizeLong(15, 15).transform(dict(img=smooth(30, 20)))
        assert results['img'].shape == (15, 10, 3)

    def test_mask_follows_with_nearest(self):
        mask = np.zeros((20, 30), np.uint8)
        mask[5:15, 10:20] = 200
        results = RandomResizeLong(60, 60).transform(
            dict(
                img=smooth(20, 30),
                gt_seg_map=mask,
                seg_fields=['gt_seg_map']))
        assert np.array_equal(results['gt_seg_map'],
                              mask.repeat(2, 0).repeat(2, 1))

    def test_follows_numpy_seed(self):
        sizes = []
        for seed in (3, 3, 4):
            np.random.seed(seed)
            transform = RandomResizeLong(32, 640)
            sizes.append([
                transform.transform(dict(img=smooth(4, 8)))['img_shape']
                for _ in range(4)
            ])
        assert sizes[0] == sizes[1] != sizes[2]

    def test_bad_range(self):
        with pytest.raises(ValueError, match='640 and 320'):
            RandomResizeLong(640, 320)


class TestRandomCropPad:

    def preprocess(self, img):
        model = SegDataPreProcessor(
            mean=MEAN[::-1], std=(58.395, 57.12, 57.375), bgr_to_rgb=True)
        tensor = torch.from_numpy(img.transpose(2, 0, 1).copy())
        return model(dict(inputs=[tensor], data_samples=None))['inputs'][0]

    def test_padding_is_exactly_zero_after_normalisation(self):
        np.random.seed(0)
        img = noise(20, 12)
        results = RandomCropPad(32, MEAN).transform(dict(img=img))
        assert results['img'].dtype == np.float32
        assert results['img_shape'] == results['pad_shape'] == (32, 32)
        x1, y1, x2, y2 = results['valid_box']
        assert (x2 - x1, y2 - y1) == (12, 20)
        out = self.preprocess(results['img'])
        # IRN: normalise first, then put it into zeros.
        reference = torch.zeros(3, 32, 32)
        reference[:, y1:y2, x1:x2] = self.preprocess(img)
        assert torch.equal(out, reference)

    @pytest.mark.parametrize('size', [(40, 50), (20, 50), (40, 20), (32, 32)])
    def test_against_naive_reference(self, size):
        np.random.seed(1)
        img = noise(*size)
        mask = (img[..., 0] % 5).astype(np.uint8)
        transform = RandomCropPad(32, MEAN)
        seen = set()
        for _ in range(40):
            results = transform.transform(
                dict(
                    img=img.copy(),
                    gt_seg_map=mask.copy(),
                    seg_fields=['gt_seg_map'],
                    tags=np.array([1, 1, 0])))
            x1, y1, x2, y2 = results['valid_box']
            inside = np.zeros((32, 32), bool)
            inside[y1:y2, x1:x2] = True
            assert np.all(results['gt_seg_map'][~inside] == 255)
            assert np.all(results['img'][~inside] == np.float32(MEAN))
            patch = results['img'][y1:y2, x1:x2]
            assert patch.shape[:2] == (min(size[0], 32), min(size[1], 32))
            # Find the patch in the image by brute force.
            places = [(y, x) for y in range(size[0] - patch.shape[0] + 1)
                      for x in range(size[1] - patch.shape[1] + 1)
                      if np.array_equal(
                          img[y:y + patch.shape[0], x:x + patch.shape[1]],
                          patch)]
            assert len(places) == 1
            y, x = places[0]
            assert np.array_equal(
                results['gt_seg_map'][inside].reshape(patch.shape[:2]),
                mask[y:y + patch.shape[0], x:x + patch.shape[1]])
            assert results['tags'].tolist() == [1, 1, 0]
            seen.add((y, x, y1, x1))
        assert (len(seen) > 5) == (size != (32, 32))

    def test_offsets_reach_both_ends(self):
        np.random.seed(0)
        transform = RandomCropPad((4, 6), MEAN)
        boxes = [
            transform.transform(dict(img=noise(3, 8)))['valid_box']
            for _ in range(50)
        ]
        assert {box[1] for box in boxes} == {0, 1}
        assert {(box[0], box[2]) for box in boxes} == {(0, 6)}

    def test_follows_numpy_seed(self):
        results = []
        for seed in (5, 5, 6):
            np.random.seed(seed)
            results.append(
                RandomCropPad(8, MEAN).transform(dict(img=noise(90, 3))))
        assert np.array_equal(results[0]['img'], results[1]['img'])
        assert not np.array_equal(results[0]['img'], results[2]['img'])

    def test_bad_arguments(self):
        with pytest.raises(ValueError, match='crop_size'):
            RandomCropPad(0)
        with pytest.raises(ValueError, match='pad_val'):
            RandomCropPad(8, (0, 0))


class TestFormatting:

    def test_pack(self):
        labels = np.array([1, 0, 1], np.uint8)
        packed = PackWeakInputs().transform(
            dict(
                img=noise(4, 5),
                img_id='a',
                img_path='x/a.jpg',
                tags=labels,
                valid_box=(0, 0, 5, 4),
                sample_idx=3,
                gt_seg_map=np.zeros((4, 5), np.uint8)))
        sample = packed['data_samples']
        assert packed['inputs'].shape == (3, 4, 5)
        assert np.array_equal(sample.tags, labels)
        assert (sample.img_id, sample.sample_idx) == ('a', 3)
        assert sample.valid_box == (0, 0, 5, 4)
        assert sample.gt_sem_seg.data.shape == (1, 4, 5)

    def test_tags_from_mask(self):
        mask = np.array([[0, 2], [255, 2]], np.uint8)
        transform = ImageLabelsFromMask(num_classes=4)
        results = transform.transform(dict(gt_seg_map=mask))
        assert results['tags'].dtype == np.uint8
        assert results['tags'].tolist() == [1, 0, 1, 0]
        mask[0, 0] = 4
        with pytest.raises(ValueError, match='m.png holds class 4'):
            transform.transform(dict(gt_seg_map=mask, seg_map_path='m.png'))

    def test_background_is_always_there(self):
        results = ImageLabelsFromMask(3).transform(
            dict(gt_seg_map=np.full((2, 2), 1, np.uint8)))
        assert results['tags'].tolist() == [1, 1, 0]


@pytest.mark.skipif(os.geteuid() == 0, reason='root may read any file')
def test_unreadable_image(tmp_path):
    path = tmp_path / 'secret.png'
    Image.fromarray(noise(3, 3)).save(path)
    path.chmod(0)
    with pytest.raises(PermissionError, match='secret.png'):
        load(path)
