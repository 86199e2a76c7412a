# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Models that find any word in an image, as :class:`mmwsss.CAM` takes them."""

import os
import os.path as osp
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Protocol, runtime_checkable

import numpy as np
from torch import Tensor

from mmwsss.utils.devices import check_device
from mmwsss.utils.projects import PROJECTS


@runtime_checkable
class Localizer(Protocol):
    """What finds words in an image."""

    def locate(self, image: np.ndarray, words: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Find words.

        Args:
            image (np.ndarray): RGB uint8 ``(H, W, 3)``.
            words (Sequence[str]): K of them.

        Returns:
            tuple[Tensor, Tensor]: Maps ``(K, H, W)`` in [0, 1] and the probability
            of each word ``(K, )``.
        """
        ...


def find_localizer(model: Any,
                   weights: str | os.PathLike | None = None,
                   device: str | None = None,
                   pretrained: bool = True) -> Localizer | None:
    """The localizer that a model is or names, if it does.

    Args:
        model (str | Localizer | Any): ``'clip'`` or ``'clip/<architecture>'``, a
            localizer, or something else.
        weights (str, optional): A file of its weights, or a name that its library
            knows. Defaults to the localizer's own.
        device (str, optional): Defaults to the accelerator, if there is one.
        pretrained (bool): False leaves it with random weights. Defaults to True.

    Returns:
        Localizer | None: None for something else.

    Raises:
        FileNotFoundError: If it is a project and there is no checkout.
        ValueError: If the weights do not fit or cannot be had, or there is no such
            device.
    """
    if isinstance(model, Localizer):
        return model
    name, _, arch = model.partition('/') if isinstance(model, str) else ('', '', '')
    project = PROJECTS.get(name)
    if project is None or project.localizer is None:
        return None
    if device is not None:
        check_device(device)
    checkout = osp.dirname(osp.dirname(project.path(repr(name))))
    if checkout not in sys.path:
        sys.path.append(checkout)
    given = dict(arch=arch or None, device=device, weights=(
        (weights and os.fspath(weights)) if pretrained else 'random'))
    return getattr(import_module(project.package), project.localizer)(
        **{key: value for key, value in given.items() if value is not None})
