# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Which layer of a classifier holds the features of its class maps."""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from .classifiers import Classifier

_LAYOUTS = dict(NCHW=(2, 3), NHWC=(1, 2), NLC=(1, ))
"""Order of a feature's dimensions -> those of the image plane."""


@dataclass
class FeatureLayer:
    """A layer whose output lies over the image.

    Args:
        module (nn.Module): The layer.
        name (str): Its name in the network.
        layout (str): ``'NCHW'``, ``'NHWC'`` or, for tokens, ``'NLC'``.
        prefix (int): Tokens before those of patches.
        relu (bool): Whether the network clips the output at 0 before it pools.
        classifier (nn.Linear | nn.Conv2d, optional): What maps the mean of the
            features to logits; None where the logits are another function.
    """

    module: nn.Module
    name: str
    layout: str
    prefix: int = 0
    relu: bool = False
    classifier: nn.Linear | nn.Conv2d | None = None

    def to_nchw(self, output: Tensor, size: tuple[int, int]) -> Tensor:
        """The output as ``(N, C, h, w)``; ``size`` is the network's input's."""
        if self.layout == 'NLC':
            output = output[:, self.prefix:]
            height, width = _grid(output.shape[1], size, self.name)
            output = output.transpose(1, 2).unflatten(2, (height, width))
        elif self.layout == 'NHWC':
            output = output.permute(0, 3, 1, 2)
        return output.relu() if self.relu else output


@dataclass
class _Seen:
    """What is kept of a module's output."""

    shape: tuple[int, ...]
    # (layout, prefix, relu) -> mean over the image plane, (N, C).
    means: dict[tuple[str, int, bool], Tensor]


@dataclass
class _Record:
    """What one forward pass shows, in the order in which modules end."""

    names: dict[nn.Module, str]
    prefixes: tuple[int, ...]
    outputs: dict[str, _Seen] = field(default_factory=dict)
    classifiers: list[tuple[nn.Linear | nn.Conv2d, Tensor]] = field(
        default_factory=list)

    def note(self, module: nn.Module, args: tuple, output: object) -> None:
        if isinstance(module, (nn.Linear, nn.Conv2d)):
            self.classifiers.append((module, args[0]))
        if not isinstance(output, Tensor) or not output.is_floating_point():
            return
        means = {}
        for layout, prefix in self._readings(output):
            for relu in (False, True):
                features = output[:, prefix:] if layout == 'NLC' else output
                features = features.relu() if relu else features
                means[layout, prefix, relu] = features.mean(_LAYOUTS[layout])
        if means:
            name = self.names[module]
            # A module that runs twice moves to its last place.
            self.outputs.pop(name, None)
            self.outputs[name] = _Seen(tuple(output.shape), means)

    def _readings(self, output: Tensor) -> list[tuple[str, int]]:
        """Layouts and prefixes that an output may have."""
        if output.ndim == 3 and output.shape[1] > max(self.prefixes):
            return [('NLC', prefix) for prefix in self.prefixes]
        # What is pooled already, (N, C, 1, 1) or (N, 1, 1, C), is no map.
        if output.ndim != 4 or 1 in (
                math.prod(output.shape[2:]), math.prod(output.shape[1:3])):
            return []
        return [('NCHW', 0), ('NHWC', 0)]


@torch.no_grad()
def find_layer(classifier: Classifier, images: Tensor, logits: Tensor,
               name: str | None = None) -> FeatureLayer:
    """Choose the layer by one forward pass.

    For CAM it is the last one whose mean over the image is what the linear
    classifier reads: the condition under which Zhou et al. define the maps. Which
    layer that is shows in the numbers, so that it needs no table of networks. Where
    there is none (other pooling, a hidden layer or a class token behind it), it is
    the last feature map, or, of transformers, the first normalisation of the last
    block, behind which patches still act upon the class token.

    Args:
        classifier (Classifier): The network.
        images (Tensor): Its input ``(1, 3, H, W)``.
        logits (Tensor): Its answer ``(1, K)``.
        name (str, optional): The layer to take. Defaults to None.

    Raises:
        ValueError: If there is no such layer, or its output is no feature map.
    """
    modules = dict(classifier.module.named_modules())
    if name is not None and name not in modules:
        parts = ', '.join(part for part, _ in classifier.module.named_children())
        raise ValueError(f'the network has no layer {name!r}; its parts are {parts}')
    given = classifier.prefix_tokens
    prefixes = (0, 1) if given is None else tuple(dict.fromkeys((given, 0)))
    record = _Record({module: key for key, module in modules.items()}, prefixes)
    hooks = [module.register_forward_hook(record.note)
             for module in modules.values() if module is not classifier.module]
    try:
        classifier.logits(images)
    finally:
        for hook in hooks:
            hook.remove()
    linear, read = _linear_classifier(record, logits.shape[1])
    if linear is not None and read is not None:
        for key in [name] if name else reversed(record.outputs):
            seen = record.outputs.get(key)
            for reading, mean in (seen.means.items() if seen else ()):
                if mean.shape == read.shape and _close(mean, read):
                    return FeatureLayer(modules[key], key, *reading, linear)
    if name is None:
        name = _token_layer(modules) or next(
            (key for key, seen in reversed(record.outputs.items())
             if len(seen.shape) == 4 and min(seen.shape[1:]) > 1), None)
    if name is None or name not in record.outputs:
        raise ValueError(
            'no layer of the network gives a feature map' if name is None else
            f'layer {name!r} gives no feature map (N, C, h, w), (N, h, w, C) or '
            '(N, L, C)')
    return _reading(record, modules[name], name, images)


def _reading(record: _Record, module: nn.Module, name: str,
             images: Tensor) -> FeatureLayer:
    """A layer with the likely layout of its output."""
    shape = record.outputs[name].shape
    size = images.shape[-2], images.shape[-1]
    prefix = 0
    if len(shape) == 3:
        layout = 'NLC'
        tokens = shape[1]
        prefix = next((p for p in record.prefixes
                       if _fits_grid(tokens - p, size)), 0)
    else:
        # Maps are smaller than the image by the same factor in both directions.
        ratio = size[0] / size[1]
        layout = min(
            ('NCHW', 'NHWC'), key=lambda kind: abs(math.log(
                shape[_LAYOUTS[kind][0]] / shape[_LAYOUTS[kind][1]] / ratio)))
    return FeatureLayer(module, name, layout, prefix)


def _linear_classifier(record: _Record, classes: int
                       ) -> tuple[nn.Linear | nn.Conv2d | None, Tensor | None]:
    """The last layer that computes as many numbers as there are classes."""
    for module, features in reversed(record.classifiers):
        if module.weight.shape[0] != classes or module.weight[0, 0].numel() != 1:
            continue
        if features.ndim == 4:
            # A 1x1 convolution behind the pooling, or before it.
            return module, features.mean((2, 3))
        if features.ndim == 2:
            return module, features
    return None, None


def _token_layer(modules: dict[str, nn.Module]) -> str | None:
    """The first normalisation of a transformer's last block, at the usual places."""
    for parts in ('blocks', 'backbone.layers', 'encoder.layers'):
        blocks = modules.get(parts)
        if not isinstance(blocks, (nn.Sequential, nn.ModuleList)) or not len(blocks):
            continue
        last = [name for name, _ in blocks.named_children()][-1]
        for norm in ('norm1', 'ln1', 'ln_1'):
            if isinstance(modules.get(f'{parts}.{last}.{norm}'), nn.LayerNorm):
                return f'{parts}.{last}.{norm}'
    return None


def _grid(tokens: int, size: tuple[int, int], name: str) -> tuple[int, int]:
    """Rows and columns of patches."""
    height = round(math.sqrt(tokens * size[0] / size[1]))
    for rows in (height, height - 1, height + 1):
        if rows > 0 and tokens % rows == 0:
            return rows, tokens // rows
    raise ValueError(f'the {tokens} tokens of layer {name!r} are no grid over an '
                     f'image of {size[0]} x {size[1]} pixels')


def _fits_grid(tokens: int, size: tuple[int, int]) -> bool:
    try:
        height, width = _grid(tokens, size, '')
    except ValueError:
        return False
    # The patches are about square.
    return abs(math.log(height / width * size[1] / size[0])) < 0.2


def _close(left: Tensor, right: Tensor) -> bool:
    return torch.allclose(left, right, rtol=1e-3, atol=1e-4 * float(right.abs().max()))
