# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Class activation maps of any classifier, without training."""

import difflib
import os
import os.path as osp
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from mmengine.device import get_device
from PIL import Image, ImageOps
from torch import Tensor, nn

from mmwsss.datasets.image_io import check_rgb, read_image
from mmwsss.datasets.transforms.geometry import pil_resize
from mmwsss.ops import max_norm
from mmwsss.structures import to_image_size
from mmwsss.utils import atomic_write
from mmwsss.utils.devices import check_device
from mmwsss.utils.renamed import renamed_arguments
from mmwsss.visualization import overlay_cam

from .cam_layers import FeatureLayer, find_layer
from .classifiers import load_classifier
from .images import ImageLike, find_images
from .localizers import Localizer, find_localizer

ImageInput = ImageLike | Image.Image
_TINY = 1e-30


@dataclass
class CAMResult:
    """The class maps of one image.

    Args:
        name (str): The file's stem, or ``photo_<i>``.
        image (np.ndarray): The image, RGB uint8 ``(H, W, 3)``.
        classes (list[str]): Names of the K classes that were asked for, the most
            probable first where none were.
        labels (list[int]): Their places in the classifier's output.
        scores (list[float]): Their probabilities, by softmax over all classes, or
            over all words that were looked for and those of background.
        maps (np.ndarray): Float32 ``(K, H, W)`` in [0, 1], each divided by its
            maximum.
    """

    name: str
    image: np.ndarray
    classes: list[str]
    labels: list[int]
    scores: list[float]
    maps: np.ndarray

    def overlay(self, index: int = 0, alpha: float = 0.5) -> np.ndarray:
        """A class's map as a heat map over the image, RGB uint8 ``(H, W, 3)``."""
        return overlay_cam(self.image, self.maps[index], alpha)

    def save(self, path: str, index: int = 0) -> None:
        """Write :meth:`overlay` as PNG or JPEG."""
        kind = 'PNG' if path.lower().endswith('.png') else 'JPEG'
        with atomic_write(path) as file:
            Image.fromarray(self.overlay(index)).save(file, kind)


class CAM:
    """Where a classifier sees its classes.

    Args:
        model (str | nn.Module | Localizer): A classifier of timm (``'resnet50'``)
            or of mmpretrain (``'resnet50_8xb32_in1k'``) by its name, or a module
            that maps images ``(N, 3, H, W)`` to logits ``(N, K)``; it is put into
            evaluation mode. Or what finds any word: ``'clip'``, which is CLIP-ES
            on ``ViT-B-16-quickgelu``, ``'clip/<architecture of open_clip>'``, or a
            :class:`~mmwsss.apis.localizers.Localizer`. Words compete with each
            other, so ask for all that images show at once.
        method (str, optional): ``'cam'`` (`Zhou et al., 2016
            <https://arxiv.org/abs/1512.04150>`_): the classifier's weights at
            every pixel, for networks that classify the mean of their last
            features. ``'gradcam'`` (`Selvaraju et al., 2017
            <https://arxiv.org/abs/1610.02391>`_): the mean gradients as weights,
            for any network and layer. ``'layercam'`` (`Jiang et al., 2021
            <https://ieeexplore.ieee.org/document/9462463>`_): the positive
            gradient of each pixel as its weight, sharper in earlier layers.
            Defaults to None: ``'cam'`` where it is defined, else ``'gradcam'``.
        layer (str, optional): Name of the layer whose features are weighted.
            Defaults to None, the last that lies over the image; see
            :func:`~mmwsss.apis.cam_layers.find_layer`.
        classes (Sequence[str], optional): Names of the K classes. Defaults to
            those that the model brings, else to numbers. Of a localizer the words
            to look for where a call names none.
        weights (str, optional): A file of the model's weights. Defaults to None:
            those of the library, which downloads them once.
        image_size (int | tuple[int, int], optional): What images are resized to
            for the network: their short side, or exactly ``(H, W)``. Defaults to
            the size that the model was tested with. Larger gives finer maps.
        device (str, optional): Defaults to the accelerator, if there is one.
        pretrained (bool): False leaves a named model with random weights.

    Raises:
        ValueError: If the model or method is unknown, or the weights do not fit
            or cannot be had, there is no such device, or a localizer is given a
            method, layer or size.

    Example:
        >>> cam = mmwsss.CAM('resnet50')
        >>> result = cam('photo.jpg')
        >>> result.classes, result.scores, result.maps.shape
        >>> Image.fromarray(result.overlay())
        >>> cam('photo.jpg', classes=['tabby', 'Egyptian cat'])
        >>> mmwsss.CAM('clip')('photo.jpg', classes=['cat', 'sofa,couch'])
    """

    def __init__(self,
                 model: str | nn.Module | Localizer,
                 method: str | None = None,
                 layer: str | None = None,
                 classes: Sequence[str] | None = None,
                 weights: str | os.PathLike | None = None,
                 image_size: int | tuple[int, int] | None = None,
                 device: str | None = None,
                 pretrained: bool = True) -> None:
        if method not in (None, *METHODS):
            raise ValueError(f'method must be one of {list(METHODS)}, got {method!r}')
        self.localizer = find_localizer(model, weights, device, pretrained)
        if self.localizer is not None:
            given = dict(method=method, layer=layer, image_size=image_size)
            for name, value in given.items():
                if value is not None:
                    raise ValueError(f'a localizer takes no {name}, got {value!r}')
            self.words = [classes] if isinstance(classes, str) else classes
            return
        if device is not None:
            check_device(device)
        self.classifier = load_classifier(model, weights, pretrained)
        if image_size is not None:
            self.classifier.size = image_size
        if classes is not None:
            self.classifier.classes = classes
        if device is None and isinstance(model, nn.Module):
            self.device = next(iter(model.parameters()), torch.empty(0)).device
        else:
            self.device = check_device(device or get_device())
            self.classifier.module.to(self.device)
        self.method = method
        self.layer = layer
        self._found: FeatureLayer | None = None

    @renamed_arguments(photos='images')
    def __call__(self,
                 images: ImageInput | Sequence[ImageInput],
                 classes: Sequence[str | int] | str | int | None = None,
                 top: int = 1) -> 'CAMResult | list[CAMResult]':
        """Compute class maps.

        Args:
            images (str | Image | np.ndarray | Sequence): An image (a path, an
                image of Pillow, or an RGB uint8 array ``(H, W, 3)``), or several:
                a folder, a glob pattern or a list.
            classes (Sequence[str | int], optional): Names of classes, or their
                places in the classifier's output. Of names with synonyms
                (``'tabby, tabby cat'``) one will do. Defaults to None, the most
                probable ones.
            top (int): How many, where ``classes`` names none. Defaults to 1.

        Returns:
            CAMResult | list[CAMResult]: Of one image, or of several a list.

        Raises:
            FileNotFoundError: If an image does not exist.
            ValueError: If a file is no whole image, a class is unknown, CAM is not
                defined for the network, or a localizer is given no words.
        """
        results = list(self.iterate(images, classes, top))
        single = isinstance(images, (np.ndarray, Image.Image)) or (
            isinstance(images, (str, os.PathLike)) and osp.isfile(images))
        return results[0] if single else results

    @renamed_arguments(photos='images')
    def iterate(self,
                images: ImageInput | Sequence[ImageInput],
                classes: Sequence[str | int] | str | int | None = None,
                top: int = 1) -> Iterator[CAMResult]:
        """Yield the results of :meth:`__call__` one by one, for many images."""
        several = images if isinstance(images, (list, tuple)) else None
        for name, source in find_images(
                _from_pillow(images) if several is None else
                [_from_pillow(one) for one in several]):
            image = read_image(source) if isinstance(source, str) else source
            check_rgb(image)
            yield (self._explain(name, image, classes, top) if self.localizer is None
                   else self._locate(self.localizer, name, image, classes, top))

    def class_maps(self, images: Tensor, labels: Sequence[int]) -> Tensor:
        """Maps of an input of the network, neither clipped nor normalised.

        Args:
            images (Tensor): Normalised ``(1, 3, H, W)``.
            labels (Sequence[int]): Places of K classes in the network's output.

        Returns:
            Tensor: ``(K, h, w)``, of the size of the layer's features.
        """
        with torch.no_grad():
            layer = self._find(images, self._logits(images))
        size = images.shape[-2], images.shape[-1]
        method = self.method or ('gradcam' if layer.classifier is None else 'cam')
        if method == 'cam':
            if layer.classifier is None:
                raise ValueError(
                    f'CAM is not defined for {type(self.classifier.module).__name__}'
                    ': its linear classifier does not read the mean of layer '
                    f'{layer.name!r}; take method="gradcam"')
            with torch.no_grad():
                output, _ = self._forward(images, layer)
                features = layer.to_nchw(output, size)[0]
                weights = layer.classifier.weight[list(labels)].flatten(1)
                return torch.einsum('kc,chw->khw', weights, features)
        layer = replace(layer, relu=False)
        output, logits = self._forward(images, layer)
        features = layer.to_nchw(output.detach(), size)[0]
        maps = []
        for label in labels:
            gradient, = torch.autograd.grad(
                logits[0, label], output, retain_graph=True)
            gradient = layer.to_nchw(gradient, size)[0]
            maps.append(_BY_GRADIENT[method](features, gradient))
        return torch.stack(maps)

    def _forward(self, images: Tensor, layer: FeatureLayer) -> tuple[Tensor, Tensor]:
        """The layer's output and the logits, which depend on nothing else.

        A graph exists from the layer on only: the costly part before it keeps no
        activations.
        """
        outputs: list[Tensor] = []
        wanted = torch.is_grad_enabled()

        def take(_: nn.Module, __: tuple, output: Tensor) -> Tensor:
            outputs.append(output.detach().requires_grad_(wanted))
            torch.set_grad_enabled(wanted)
            # What follows may write into its input.
            return outputs[-1].clone()

        hook = layer.module.register_forward_hook(take)
        try:
            with torch.no_grad():
                logits = self._logits(images)
        finally:
            hook.remove()
        return outputs[-1], logits

    def _explain(self, name: str, image: np.ndarray,
                 classes: Sequence[str | int] | str | int | None,
                 top: int) -> CAMResult:
        images = self.classifier.normalize(self._resize(image)).to(self.device)
        with torch.no_grad():
            scores = self._logits(images)[0].softmax(0)
        if classes is None:
            labels = scores.topk(min(top, len(scores))).indices.tolist()
        else:
            if isinstance(classes, (str, int)):
                classes = [classes]
            labels = [self._label(given, len(scores)) for given in classes]
        # Gradients may be tiny, so that the usual epsilon would count.
        maps = max_norm(self.class_maps(images, labels).float().relu(), _TINY)
        height, width = image.shape[:2]
        maps = to_image_size(maps, (height, width)).clamp(0, 1)
        names = self.classifier.classes
        return CAMResult(
            name, image, [str(names[i]) if names else str(i) for i in labels], labels,
            [float(scores[i]) for i in labels], maps.cpu().numpy())

    def _locate(self, localizer: Localizer, name: str, image: np.ndarray,
                classes: Sequence[str | int] | str | int | None,
                top: int) -> CAMResult:
        words = [classes] if isinstance(classes, (str, int)) else classes
        named = list(words if words is not None else self.words or ())
        asked = [word for word in named if isinstance(word, str)]
        if not asked or len(asked) < len(named):
            raise ValueError(f'name the words to look for (classes=), got {named}')
        maps, scores = localizer.locate(image, asked)
        labels = list(range(len(asked)))
        if words is None:
            labels = scores.topk(min(top, len(labels))).indices.tolist()
        return CAMResult(
            name, image, [asked[i] for i in labels], labels,
            [float(scores[i]) for i in labels], maps[labels].float().cpu().numpy())

    def _logits(self, images: Tensor) -> Tensor:
        logits = self.classifier.logits(images)
        if not isinstance(logits, Tensor) or logits.ndim != 2:
            shape = tuple(logits.shape) if isinstance(logits, Tensor) \
                else type(logits).__name__
            raise ValueError('the model is no classifier: it gives no logits (N, K), '
                             f'but {shape}')
        if self.classifier.classes and len(self.classifier.classes) != logits.shape[1]:
            raise ValueError(f'the model knows {logits.shape[1]} classes, but '
                             f'{len(self.classifier.classes)} are named')
        return logits

    def _find(self, images: Tensor, logits: Tensor) -> FeatureLayer:
        """The layer, which the first image shows."""
        if self._found is None:
            self._found = find_layer(self.classifier, images, logits, self.layer)
        return self._found

    def _resize(self, image: np.ndarray) -> np.ndarray:
        """An image of the network's size, none of it cut off."""
        size = self.classifier.size
        if isinstance(size, int):
            short = min(image.shape[:2])
            size = (max(size, round(image.shape[0] * size / short)),
                    max(size, round(image.shape[1] * size / short)))
        return pil_resize(image, size, Image.Resampling.BICUBIC)

    def _label(self, given: str | int, count: int) -> int:
        """A class's place in the classifier's output."""
        names = self.classifier.classes
        if isinstance(given, int):
            if not 0 <= given < count:
                raise ValueError(f'there is no class {given}: the model knows {count}')
            return given
        if names is None:
            raise ValueError(f'the classes have no names: give {given!r} as a number '
                             'or name them all (classes=)')
        places = [i for i, name in enumerate(names) if name == given] or [
            i for i, name in enumerate(names)
            if given.lower() in name.lower().split(', ')]
        if len(places) > 1:
            raise ValueError(f'{given!r} is the name of several classes: {places}')
        if not places:
            words = [word for name in names for word in (name, *name.split(', '))]
            near = difflib.get_close_matches(given, words, 3)
            raise ValueError(
                f'the model knows no class {given!r}'
                + (f'; the nearest are {", ".join(near)}' if near else ''))
        return places[0]


def _gradcam(features: Tensor, gradient: Tensor) -> Tensor:
    return (gradient.mean((1, 2), keepdim=True) * features).sum(0)


def _layercam(features: Tensor, gradient: Tensor) -> Tensor:
    return (gradient.relu() * features).sum(0)


_BY_GRADIENT: dict[str, Callable[[Tensor, Tensor], Tensor]] = dict(
    gradcam=_gradcam, layercam=_layercam)
"""Method -> map ``(h, w)`` of a class from features and gradient ``(C, h, w)``."""
METHODS = ('cam', *_BY_GRADIENT)


def _from_pillow(image: Any) -> ImageLike:
    if isinstance(image, Image.Image):
        return np.asarray(ImageOps.exif_transpose(image).convert('RGB'))
    return image
