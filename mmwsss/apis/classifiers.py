# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Trained classifiers of timm and mmpretrain by their names, or one's own."""

import difflib
import inspect
import os
import os.path as osp
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mmwsss.utils import naming
from mmwsss.utils.checkpoint import check_weights, load_weights

IMAGENET_MEAN = (123.675, 116.28, 103.53)
IMAGENET_STD = (58.395, 57.12, 57.375)


@dataclass
class Classifier:
    """A classifier, and what it expects.

    Args:
        module (nn.Module): The network, in evaluation mode.
        logits (Callable): Images ``(N, 3, H, W)`` -> logits ``(N, K)``.
        classes (Sequence[str], optional): The K names, where they are known.
        size (int | tuple[int, int]): What images are resized to: their short
            side, or, where the network takes one size only, ``(H, W)``.
        mean, std (Sequence[float]): Of RGB in [0, 255].
        bgr (bool): Whether channels come in the order of OpenCV.
    """

    module: nn.Module
    logits: Callable[[Tensor], Tensor]
    classes: Sequence[str] | None
    size: int | tuple[int, int] = 224
    mean: Sequence[float] = IMAGENET_MEAN
    std: Sequence[float] = IMAGENET_STD
    bgr: bool = False

    @property
    def prefix_tokens(self) -> int | None:
        """int | None: Tokens before those of patches, where the network says so."""
        backbone = getattr(self.module, 'backbone', self.module)
        for name in ('num_prefix_tokens', 'num_extra_tokens'):
            if hasattr(backbone, name):
                return int(getattr(backbone, name))
        return None

    def normalize(self, image: np.ndarray) -> Tensor:
        """An RGB uint8 image ``(H, W, 3)`` as the network's input ``(1, 3, H, W)``."""
        pixels = torch.tensor(image, dtype=torch.float32)
        pixels = (pixels - torch.tensor(self.mean)) / torch.tensor(self.std)
        if self.bgr:
            pixels = pixels.flip(2)
        return pixels.permute(2, 0, 1)[None]


def load_classifier(model: object,
                    weights: str | os.PathLike | None = None,
                    pretrained: bool = True) -> Classifier:
    """Find or wrap a classifier.

    Args:
        model (str | nn.Module): A name of timm (``'resnet50'``,
            ``'resnet50.a1_in1k'``), else of mmpretrain
            (``'resnet50_8xb32_in1k'``); ``'timm/...'`` and ``'mmpretrain/...'``
            say which. Or a module: images ``(N, 3, H, W)`` to logits ``(N, K)``.
        weights (str, optional): A file of its weights. Defaults to None: those
            of the library, which downloads them once.
        pretrained (bool): Whether to load weights at all. Defaults to True.

    Raises:
        ValueError: If the name is unknown, the weights do not fit, or they can
            neither be found nor downloaded.
    """
    if isinstance(model, nn.Module):
        found = _wrap(model)
    elif isinstance(model, str):
        library, name = _find(model)
        download = pretrained and weights is None
        try:
            found = _LIBRARIES[library](name, download)
        except _NO_NETWORK as error:
            if not download:
                raise
            raise ValueError(
                f'the weights of {name} are not on this machine and '
                f'{_source(library, name)} cannot be reached: bring that file and '
                'name it (weights=)') from error
    else:
        raise TypeError('model must be a name or a torch module, got '
                        f'{type(model).__name__}')
    if weights is not None:
        _load(found.module, os.fspath(weights))
    found.module.eval()
    return found


def _find(model: str) -> tuple[str, str]:
    """Library and name of a model."""
    import timm
    library, slash, name = model.partition('/')
    if slash and library not in _LIBRARIES:
        raise ValueError(f'{model!r} names the library {library!r}; known are '
                         f'{", ".join(_LIBRARIES)}')
    if not slash:
        library, name = '', model
    if library in ('', 'timm') and timm.is_model(name):
        return 'timm', name
    names: list[str] = []
    if library in ('', 'mmpretrain'):
        import mmpretrain
        names += mmpretrain.list_models(task='Image Classification')
        if name in names:
            return 'mmpretrain', name
    if library in ('', 'timm'):
        names += timm.list_models()
    near = difflib.get_close_matches(name, names, 3, 0.4)
    raise ValueError(
        f'no classifier of {library or "timm or mmpretrain"} is called {name!r}'
        + (f'; the nearest are {", ".join(near)}' if near else ''))


def _from_timm(name: str, pretrained: bool) -> Classifier:
    import timm
    from timm.data import ImageNetInfo, infer_imagenet_subset, resolve_data_config
    module: Any = timm.create_model(name, pretrained=pretrained)
    data = resolve_data_config(model=module, use_test_size=True)
    height, width = data['input_size'][1:]
    fixed = module.pretrained_cfg.get('fixed_input_size', False)
    subset = infer_imagenet_subset(module)
    classes = None
    if subset:
        info = ImageNetInfo(subset)
        classes = [info.index_to_description(i) for i in range(module.num_classes)]
    return Classifier(
        module, module, classes,
        size=(height, width) if fixed else min(height, width),
        mean=[255 * value for value in data['mean']],
        std=[255 * value for value in data['std']])


def _from_mmpretrain(name: str, pretrained: bool) -> Classifier:
    import mmpretrain
    module = mmpretrain.get_model(name, pretrained=False, device='cpu')
    found = _wrap(module)
    if found.classes is None and getattr(module.head, 'num_classes', None) == 1000:
        from mmpretrain.datasets.categories import IMAGENET_CATEGORIES
        found.classes = IMAGENET_CATEGORIES
    if pretrained:
        # mmpretrain itself would unpickle the file freely.
        url = _source('mmpretrain', name)
        path = osp.join(torch.hub.get_dir(), 'checkpoints', osp.basename(url))
        if not osp.exists(path):
            os.makedirs(osp.dirname(path), exist_ok=True)
            torch.hub.download_url_to_file(url, path)
        _load(module, path)
    return found


def _wrap(module: nn.Module) -> Classifier:
    """A module of one's own, of torchvision, timm or mmpretrain."""
    found = Classifier(module, module, getattr(module, 'classes', None))
    preprocessor = getattr(module, 'data_preprocessor', None)
    if 'mode' in inspect.signature(module.forward).parameters:
        forward: Any = module
        found.logits = lambda images: forward(images, mode='tensor')
    if preprocessor is not None:
        found.bgr = not getattr(preprocessor, 'to_rgb', True)
        if getattr(preprocessor, '_enable_normalize', False):
            order = slice(None, None, -1 if found.bgr else 1)
            found.mean = preprocessor.mean.flatten().tolist()[order]
            found.std = preprocessor.std.flatten().tolist()[order]
    backbone = getattr(module, 'backbone', module)
    # Of transformers: many take no other size.
    for name in ('img_size', 'image_size'):
        size = getattr(backbone, name, None)
        if isinstance(size, (int, tuple, list)):
            found.size = (size, size) if isinstance(size, int) else tuple(size)
    meta = getattr(module, '_dataset_meta', None) or {}
    found.classes = found.classes or meta.get('classes')
    return found


_LIBRARIES = dict(timm=_from_timm, mmpretrain=_from_mmpretrain)
# What downloads raise, of requests, httpx, urllib and huggingface_hub.
_NO_NETWORK = (OSError, RuntimeError)


def _source(library: str, name: str) -> str:
    """Where the weights of a name are."""
    if library == 'timm':
        import timm
        found = timm.get_pretrained_cfg(name)
        hub = getattr(found, 'hf_hub_id', None)
        if hub:
            return f'https://huggingface.co/{hub} (model.safetensors)'
        return getattr(found, 'url', '') or 'its home'
    from mmpretrain.apis import ModelHub
    return ModelHub.get(name).weights or 'its home'


def _load(module: nn.Module, path: str) -> None:
    """Load weights strictly."""
    if path.endswith('.safetensors'):
        from safetensors import SafetensorError
        from safetensors.torch import load_file
        try:
            state = load_file(path)
        except SafetensorError as error:
            raise ValueError(f'{path} is no whole safetensors file: {error}') from error
    else:
        state = load_weights(path, ('state_dict', 'model'))
    with naming(path):
        check_weights(state, module.state_dict())
    module.load_state_dict(state)
