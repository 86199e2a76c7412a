# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Fully connected conditional random field over the pixels of an image."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b

import torch
from torch import Tensor

from .dense_crf_backends import BACKENDS, choose_backend

# Lattices of the last images, by content; each has some 20 MB at VOC's size.
_NUM_KEPT = 2
_kept: OrderedDict[tuple, Callable] = OrderedDict()
_lock = threading.Lock()


@torch.no_grad()
def dense_crf(probs: Tensor,
              image: Tensor,
              num_iter: int = 10,
              gaussian: tuple[float, float] = (3, 3),
              bilateral: tuple[float, float, float] = (80, 13, 10),
              unary: str = 'softmax',
              gt_prob: float = 0.7,
              backend: str = 'auto') -> Tensor:
    r"""Refine probabilities by mean-field inference in a dense CRF.

    Pixels that are close, and pixels that are close and alike in colour, are
    asked to share a label (Potts model). Both kernels are Gaussian, normalised
    symmetrically and approximated on a permutohedral lattice. `Efficient
    Inference in Fully Connected CRFs with Gaussian Edge Potentials
    <https://arxiv.org/abs/1210.5644>`_ (Kraehenbuehl and Koltun, NIPS 2011).

    The energy of labels x, with the places p and the colours I of pixels, before the
    kernels are normalised:

    .. math::
        E(x) = \sum_i \psi_u(x_i) + \sum_{i < j} [x_i \neq x_j] \, k(f_i, f_j), \quad
        \psi_u(x_i) = -\log P(x_i)

        k(f_i, f_j) = w^{(1)} \exp \left( -\frac {|p_i - p_j|^2} {2 \theta_\alpha^2}
        - \frac {|I_i - I_j|^2} {2 \theta_\beta^2} \right)
        + w^{(2)} \exp \left( -\frac {|p_i - p_j|^2} {2 \theta_\gamma^2} \right)

    ``bilateral`` is :math:`(\theta_\alpha, \theta_\beta, w^{(1)})` and ``gaussian``
    :math:`(\theta_\gamma, w^{(2)})`. An iteration of the mean field, whose sum holds
    pixel i itself, too, as in the authors' code:

    .. math::
        Q_i(l) \propto \exp \Bigl( -\psi_u(l)
        - \sum_{l' \neq l} \sum_j k(f_i, f_j) Q_j(l') \Bigr)

    The lattices of the last two images are kept, so that several ``probs`` of
    one image, such as those of several thresholds, cost less than each alone.

    Args:
        probs (Tensor): Scores of shape (N, K, H, W) in [0, 1], background
            included. Time grows with K: leave out labels that are not present.
        image (Tensor): Images of shape (N, 3, H, W), RGB in [0, 255], any
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
        backend (str): ``'numba'`` (on the CPU, compiled when first used),
            ``'torch'`` (on the device of ``probs``), ``'pydensecrf'`` (the
            reference, to be installed apart), or ``'auto'``: torch for tensors
            on a GPU and where numba is missing, else numba.

    Returns:
        Tensor: Probabilities of shape (N, K, H, W) with the type and device
        of ``probs``, without gradient. With K = 1 they are 1.

    Raises:
        ImportError: If ``backend`` names one that is not installed.
        ValueError: If a shape or range is not as above, or deviations are so
            small that numbers of 32 bits do not tell features apart.
    """
    if backend not in ('auto', *BACKENDS):
        raise ValueError(f"backend must be 'auto' or one of {tuple(BACKENDS)}, "
                         f'got {backend!r}')
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
    backend = choose_backend(backend, probs.device)
    logits = _unary_logits(probs.float(), unary, gt_prob)
    images = image.float().round().byte().permute(0, 2, 3, 1).to(probs.device)
    refined = [
        _mean_field(backend, rgb.contiguous(), tuple(gaussian),
                    tuple(bilateral))(scores, num_iter)
        for scores, rgb in zip(logits, images, strict=True)
    ]
    return torch.stack(refined).to(probs)


def _unary_logits(probs: Tensor, unary: str, gt_prob: float) -> Tensor:
    if unary == 'softmax':
        return probs.clamp(1e-5, 1).log()
    share = (1 - gt_prob) / (probs.shape[1] - 1)
    certain = torch.full_like(probs, share).scatter_(
        1, probs.argmax(1, keepdim=True), gt_prob)
    return certain.log()


def _mean_field(backend: str, image: Tensor, gaussian: tuple,
                bilateral: tuple) -> Callable:
    """The image's lattice, made or kept from an earlier call."""
    content = blake2b(image.cpu().numpy().data, digest_size=16).digest()
    key = (backend, image.shape, image.device, gaussian, bilateral, content)
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    # Other threads go on meanwhile.
    made = BACKENDS[backend](image, gaussian, bilateral)
    with _lock:
        _kept[key] = made
        while len(_kept) > _NUM_KEPT:
            _kept.popitem(last=False)
    return made


def forget_images() -> None:
    """Drop the kept lattices, as a measurement of a first call must."""
    with _lock:
        _kept.clear()


def _check_range(name: str, values: Tensor, high: float) -> None:
    low, peak = values.float().aminmax()
    # Sums of rounded weights exceed 1 by a hair. NaN fails this, too.
    if not (low >= 0 and peak <= high * (1 + 1e-5)):
        raise ValueError(f'{name} must lie in [0, {high}], got [{low:.4g}, '
                         f'{peak:.4g}]')
