# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence

import numpy as np
from mmcv.transforms import BaseTransform, Compose
from mmseg.registry import TRANSFORMS


def _color_ops(**factor) -> tuple[dict, ...]:
    """RandAugment's fourteen without rotation, shears and translations. Posterising
    rounds up, to 4 to 8 bits."""
    return (
        dict(type='AutoContrast'),
        dict(type='Brightness', **factor),
        dict(type='ColorTransform', **factor),
        dict(type='Contrast', **factor),
        dict(type='Equalize'),
        dict(type='Identity'),
        dict(type='Posterize', magnitude_range=(3, 8)),
        dict(type='Sharpness', **factor),
        dict(type='Solarize', magnitude_range=(0, 256)),
    )


# Mmpretrain adds 1 to the magnitude: enhancement factors of 0.1 to 1.9, and of 0.05
# to 0.95.
COLOR_OPS = dict(
    randaugment=_color_ops(magnitude_range=(0, 0.9), random_negative_prob=0.5),
    fixmatch=_color_ops(magnitude_range=(0.05, 0.95), random_negative_prob=1.))


@TRANSFORMS.register_module()
class StrongView(BaseTransform):
    r"""Make a strongly augmented view of the same geometry.

    A Gaussian blur, then ``num_ops`` operations of RandAugment that change colours
    only, drawn with replacement and each of a random magnitude, all by mmpretrain.
    They act on the image as cropped, in bytes, before any normalisation; the
    padding around it stays what it is (Secs. 3.2.1 and 4.1.3 of the paper).

    Put it last before packing: what comes before is the weak augmentation,
    which both views share, and is the same with and without this transform.

    FSAE, Eq. 3, with the weak augmentation :math:`A_w` of the image x and this
    transform :math:`A_s`:

    .. math::
        x_s = A_w(x), \quad x_t = A_s(x_s)

    Required Keys:

    - img
    - valid_box (optional)

    Added Keys:

    - strong_img: of the shape and dtype of ``img``

    Args:
        num_ops (int): Defaults to 3.
        ops (str | Sequence[dict]): What to draw from: nine operations with the
            ranges of ``'randaugment'`` (enhancement factors of 0.1 to 1.9) or of
            ``'fixmatch'`` (0.05 to 0.95, so nothing is brighter or sharper than
            before); or mmpretrain's transforms with their arguments, by default
            of probability 1, or ``'Identity'``. Defaults to 'randaugment'.
        blur_prob (float): Probability of the blur. Defaults to 1.
        blur_sigma (tuple[float]): Range of its standard deviation in pixels.
            Defaults to (0.1, 2).
        jitter (dict, optional): Arguments of mmpretrain's ``ColorJitter``, which
            comes first: that of FSAE's weak view, where it is to be in the strong
            one alone. Defaults to None.

    Raises:
        ValueError: If ``num_ops`` is negative or ``ops`` is an unknown name.
    """

    def __init__(self,
                 num_ops: int = 3,
                 ops: str | Sequence[dict] = 'randaugment',
                 blur_prob: float = 1.,
                 blur_sigma: tuple[float, float] = (0.1, 2.),
                 jitter: dict | None = None) -> None:
        if num_ops < 0:
            raise ValueError(f'num_ops must not be negative, got {num_ops}')
        if isinstance(ops, str):
            if ops not in COLOR_OPS:
                raise ValueError(
                    f'ops must be operations or one of {(*COLOR_OPS, )}, got {ops!r}')
            ops = COLOR_OPS[ops]
        self.num_ops = num_ops
        self.ops = [dict(op) for op in ops]
        self.blur_prob = blur_prob
        self.blur_sigma = tuple(blur_sigma)
        random_magnitude = dict(
            magnitude_level=10, magnitude_std='inf', total_level=10)
        self.jitter = jitter
        steps = []
        if jitter:
            steps.append(dict(type='mmpretrain.ColorJitter', **jitter))
        if blur_prob:
            steps.append(
                dict(
                    type='mmpretrain.GaussianBlur',
                    magnitude_range=self.blur_sigma,
                    prob=blur_prob,
                    **random_magnitude))
        if num_ops:
            steps.append(
                dict(
                    type='mmpretrain.RandAugment',
                    policies=[self._policy(op) for op in self.ops],
                    num_policies=num_ops,
                    **random_magnitude))
        self.steps = Compose([TRANSFORMS.build(step) for step in steps])

    @staticmethod
    def _policy(op: dict) -> dict:
        if op['type'] == 'Identity':
            # An operation that is drawn and never applied.
            return dict(type='mmpretrain.AutoContrast', prob=0.)
        return {'prob': 1., **op, 'type': f'mmpretrain.{op["type"]}'}

    def transform(self, results: dict) -> dict:
        """Add ``strong_img``.

        Raises:
            ValueError: If the image does not hold whole numbers from 0 to 255.
        """
        image = results['img']
        height, width = image.shape[:2]
        x1, y1, x2, y2 = results.get('valid_box', (0, 0, width, height))
        inner = image[y1:y2, x1:x2].astype(np.uint8)
        if not np.array_equal(inner, image[y1:y2, x1:x2]):
            raise ValueError('StrongView needs an image of whole numbers from 0 '
                             'to 255; put it before any normalisation')
        strong = image.copy()
        strong[y1:y2, x1:x2] = self.steps(dict(img=inner))['img']
        results['strong_img'] = strong
        return results

    def __repr__(self) -> str:
        names = [op['type'] for op in self.ops]
        return (f'{self.__class__.__name__}(num_ops={self.num_ops}, '
                f'ops={names}, blur_prob={self.blur_prob}, '
                f'blur_sigma={self.blur_sigma}, jitter={self.jitter})')
