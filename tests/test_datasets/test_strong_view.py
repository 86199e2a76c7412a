# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from mmseg.registry import TRANSFORMS

from mmwsss.datasets.transforms.strong_view import COLOR_OPS


def results(seed: int = 0) -> dict:
    """An image amid padding in the mean colour."""
    image = np.full((24, 20, 3), 103.53, np.float32)
    rng = np.random.default_rng(seed)
    image[3:21, 4:19] = rng.integers(20, 230, (18, 15, 3))
    return dict(img=image, img_shape=(24, 20), valid_box=(4, 3, 19, 21))


def strong_view(**options):
    return TRANSFORMS.build(dict(type='StrongView', **options))


def test_nine_colour_operations():
    assert sorted(COLOR_OPS) == ['fixmatch', 'randaugment']
    for ops in COLOR_OPS.values():
        assert sorted(op['type'] for op in ops) == [
            'AutoContrast', 'Brightness', 'ColorTransform', 'Contrast', 'Equalize',
            'Identity', 'Posterize', 'Sharpness', 'Solarize'
        ]
    assert strong_view().ops == [*COLOR_OPS['randaugment']]


@pytest.mark.parametrize('op', COLOR_OPS['randaugment'], ids=lambda op: op['type'])
def test_an_operation(op):
    """It changes the image (Identity does not) but never the padding."""
    np.random.seed(0)
    before = results()
    view = strong_view(num_ops=1, ops=[op], blur_prob=0.)(results())
    assert np.array_equal(view['img'], before['img'])
    strong = view['strong_img']
    assert strong.shape == view['img'].shape and strong.dtype == np.float32
    assert not np.shares_memory(strong, view['img'])
    inside = np.zeros((24, 20), bool)
    inside[3:21, 4:19] = True
    assert np.array_equal(strong[~inside], before['img'][~inside])
    same = np.array_equal(strong[inside], before['img'][inside])
    assert same == (op['type'] == 'Identity')


@pytest.mark.parametrize('ops, least, most', [
    ('randaugment', 0.1, 1.9), ('fixmatch', 0.05, 0.95)])
def test_ranges_of_magnitudes(ops, least, most):
    grey = dict(img=np.full((4, 4, 3), 100, np.uint8))

    def values(op, count=60):
        view = strong_view(num_ops=1, blur_prob=0., ops=[
            o for o in COLOR_OPS[ops] if o['type'] == op])
        return {int(view(dict(grey))['strong_img'][0, 0, 0]) for _ in range(count)}

    np.random.seed(1)
    factors = np.array(sorted(values('Brightness'))) / 100
    assert least - 0.01 <= factors[0] < least + 0.15
    assert most - 0.15 < factors[-1] <= most + 0.01
    assert values('Posterize') <= {100 >> b << b for b in range(5)}
    assert values('Solarize') == {100, 155}


def test_blur_always_and_first():
    """FSAE, Sec. 4.1.3: Gaussian blur and 3 operations are added."""
    first, *others = strong_view().steps.transforms
    assert type(first).__name__ == 'GaussianBlur' and first.prob == 1
    assert [type(other).__name__ for other in others] == ['RandAugment']


def test_jitter_of_its_own():
    """It comes first, and the weak view has none."""
    view = strong_view(num_ops=0, blur_prob=0., jitter=dict(brightness=0.3))
    np.random.seed(0)
    found = view(results())
    assert np.array_equal(found['img'], results()['img'])
    inside = found['strong_img'][3:21, 4:19] / found['img'][3:21, 4:19]
    assert np.ptp(inside) < 0.05 and abs(inside.mean() - 1) > 0.01
    with_blur = strong_view(jitter=dict(brightness=0.3)).steps.transforms
    assert [type(one).__name__ for one in with_blur] == [
        'ColorJitter', 'GaussianBlur', 'RandAugment']


def test_blur_only_and_neither():
    blurred = strong_view(num_ops=0, blur_sigma=(2., 2.))
    image = results()['img'][3:21, 4:19]
    strong = blurred(results())['strong_img'][3:21, 4:19]
    assert strong.std() < 0.5 * image.std()
    view = strong_view(num_ops=0, blur_prob=0.)(results())
    assert np.array_equal(view['strong_img'], view['img'])


def test_a_function_of_the_seed():
    view = strong_view()
    images = []
    for seed in (3, 3, 4):
        np.random.seed(seed)
        images.append(view(results())['strong_img'])
    assert np.array_equal(images[0], images[1])
    assert not np.array_equal(images[0], images[2])


def test_packed():
    view = strong_view()(results())
    packed = TRANSFORMS.build(dict(type='PackWeakInputs'))(view)
    strong = packed['data_samples'].strong_img.data
    assert strong.shape == packed['inputs'].shape
    assert strong.dtype == packed['inputs'].dtype
    assert np.array_equal(strong.numpy().transpose(1, 2, 0), view['strong_img'])


def test_bad_input():
    with pytest.raises(ValueError, match='negative'):
        strong_view(num_ops=-1)
    with pytest.raises(ValueError, match="one of .'randaugment', 'fixmatch'., got 'x'"):
        strong_view(ops='x')
    normalised = results()
    normalised['img'] = normalised['img'] / 255
    with pytest.raises(ValueError, match='before any normalisation'):
        strong_view()(normalised)
