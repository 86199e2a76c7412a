# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Fully connected conditional random field over the pixels of a photo."""

import numpy as np
import torch
from torch import Tensor

INSTALL = ('dense_crf needs pydensecrf, a C++ extension that builds in half a '
           'minute with a C++ compiler and Python headers:\n'
           "  echo 'cython<3' > constraint.txt && CYTHON_FORCE_REGEN=1 "
           # Newer versions of pip hold builds to the second of these alone.
           'PIP_CONSTRAINT=constraint.txt PIP_BUILD_CONSTRAINT=constraint.txt '
           'pip install pydensecrf==1.0rc3')


@torch.no_grad()
def dense_crf(probs: Tensor,
              image: Tensor,
              num_iter: int = 10,
              gaussian: tuple[float, float] = (3, 3),
              bilateral: tuple[float, float, float] = (80, 13, 10),
              unary: str = 'softmax',
              gt_prob: float = 0.7,
              backend: str = 'auto') -> Tensor:
    """Refine probabilities by mean-field inference in a dense CRF.

    Pixels that are close, and pixels that are close and alike in colour, are
    asked to share a label (Potts model). `Efficient Inference in Fully
    Connected CRFs with Gaussian Edge Potentials
    <https://arxiv.org/abs/1210.5644>`_ (Kraehenbuehl and Koltun, NIPS 2011).

    Args:
        probs (Tensor): Scores of shape (N, K, H, W) in [0, 1], background
            included.
        image (Tensor): Photos of shape (N, 3, H, W), RGB in [0, 255], any
            type; rounded to 8 bits.
        num_iter (int): Mean-field iterations. Defaults to 10.
        gaussian (tuple[float, float]): Spatial deviation in pixels and weight
            of the smoothness kernel. Defaults to (3, 3).
        bilateral (tuple[float, float, float]): Spatial deviation in pixels,
            colour deviation in grey levels and weight of the appearance
            kernel. Defaults to (80, 13, 10).
        unary (str): ``'softmax'``: the unary energy is ``-log(probs)``, probs
            at least 1e-5. ``'labels'``: the arg-max of ``probs`` (the first of
            equals) has probability ``gt_prob``, background too, and the other
            labels share the rest. Defaults to ``'softmax'``.
        gt_prob (float): Certainty of ``'labels'``, in (0, 1). Defaults to 0.7.
        backend (str): ``'pydensecrf'``, or ``'auto'``, which is the same.

    Returns:
        Tensor: Probabilities of shape (N, K, H, W) with the type and device
        of ``probs``, without gradient. With K = 1 they are 1.

    Raises:
        ImportError: If pydensecrf is not installed; says how to.
        ValueError: If a shape or range is not as above.
    """
    if backend not in ('auto', 'pydensecrf'):
        raise ValueError("backend must be 'auto' or 'pydensecrf', got "
                         f'{backend!r}')
    if probs.ndim != 4 or probs.shape[1] < 1:
        raise ValueError('probs must have the shape (N, K, H, W) with K >= 1, '
                         f'got {tuple(probs.shape)}')
    expected = (len(probs), 3, *probs.shape[2:])
    if tuple(image.shape) != expected:
        raise ValueError(f'image must have the shape {expected}, got '
                         f'{tuple(image.shape)}')
    _check_range('probs', probs, 1)
    _check_range('image', image, 255)
    if unary not in ('softmax', 'labels'):
        raise ValueError(
            f"unary must be 'softmax' or 'labels', got {unary!r}")
    if not 0 < gt_prob < 1:
        raise ValueError(f'gt_prob must lie in (0, 1), got {gt_prob}')
    if num_iter < 1:
        raise ValueError(f'num_iter must be at least 1, got {num_iter}')
    for name, values, length in (('gaussian', gaussian, 2),
                                 ('bilateral', bilateral, 3)):
        # Deviations come first, the weight of the kernel last.
        if len(values) != length or min(values[:-1]) <= 0 or values[-1] < 0:
            raise ValueError(f'{name} must be {length - 1} positive deviations'
                             f' and a weight of at least 0, got {values}')
    if probs.shape[1] == 1:
        return torch.ones_like(probs)
    photos = image.float().round().byte().permute(0, 2, 3, 1).cpu().numpy()
    arrays = probs.float().cpu().numpy()
    refined = [
        _pydensecrf(scores, np.ascontiguousarray(photo), num_iter, gaussian,
                    bilateral, gt_prob if unary == 'labels' else None)
        for scores, photo in zip(arrays, photos, strict=True)
    ]
    return torch.from_numpy(np.stack(refined)).to(probs)


def _pydensecrf(scores: np.ndarray, photo: np.ndarray, num_iter: int,
                gaussian: tuple, bilateral: tuple,
                gt_prob: float | None) -> np.ndarray:
    try:
        from pydensecrf.densecrf import DenseCRF2D
        from pydensecrf.utils import unary_from_labels, unary_from_softmax
    except ImportError as error:
        raise ImportError(f'{INSTALL}\n({error})') from error
    num_labels, height, width = scores.shape
    crf = DenseCRF2D(width, height, num_labels)
    if gt_prob is None:
        energy = unary_from_softmax(scores)
    else:
        energy = unary_from_labels(
            scores.argmax(0), num_labels, gt_prob, zero_unsure=False)
    crf.setUnaryEnergy(np.ascontiguousarray(energy))
    crf.addPairwiseGaussian(sxy=gaussian[0], compat=gaussian[1])
    crf.addPairwiseBilateral(
        sxy=bilateral[0], srgb=bilateral[1], rgbim=photo, compat=bilateral[2])
    return np.array(crf.inference(num_iter)).reshape(scores.shape)


def _check_range(name: str, values: Tensor, high: float) -> None:
    low, peak = values.float().aminmax()
    # Sums of rounded weights exceed 1 by a hair. NaN fails this, too.
    if not (low >= 0 and peak <= high * (1 + 1e-5)):
        raise ValueError(f'{name} must lie in [0, {high}], got [{low:.4g}, '
                         f'{peak:.4g}]')
