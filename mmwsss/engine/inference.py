# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Backbones that compute the same features in less time, for inference."""

import copy
import sys
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar

import torch
from mmengine.logging import print_log
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils import parametrize
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

AMP_TYPES = dict(bf16=torch.bfloat16, fp16=torch.float16)
CPU_FLAGS = '/proc/cpuinfo'

ModuleT = TypeVar('ModuleT', bound=nn.Module)


@contextmanager
def fast_inference(backbone: nn.Module,
                   fold: bool = True,
                   channels_last: bool = True,
                   amp: str | None = None) -> Iterator[int]:
    """Let a backbone compute faster until the end of the ``with`` block.

    - A batch normalisation with fixed statistics behind a convolution is a
      factor and an offset of each channel: the convolution takes them over.
      Which pairs there are shows in one pass of a small black image: the
      normalisation alone must read what the convolution computed, neither may
      occur twice or carry hooks. (mmcv's ``fuse_conv_bn`` goes by the order of
      registration, which is another one in pre-activation networks, and drops
      the activation that timm's normalisations contain.)
    - Weights, and with them all maps, lie channels last in memory. (What
      flattens features with ``view`` fails; ``reshape`` takes them.)
    - On request the backbone computes in half precision; features are single
      precision again, and so are heads and whatever follows.

    In single precision features differ by rounding only. Parameters, buffers
    and state dict stay as they are all the time, since only ``forward`` of some
    layers is covered; at the end it is uncovered again.

    Args:
        backbone (nn.Module): In evaluation mode, on its device; maps images
            (N, 3, H, W) to features.
        fold (bool): Whether to fold batch normalisations. Defaults to True.
        channels_last (bool): Defaults to True.
        amp (str, optional): ``'bf16'`` or, on a GPU, ``'fp16'``. Defaults to
            None: single precision. See :func:`check_amp`.

    Yields:
        int: How many normalisations were folded.
    """
    with ExitStack() as covered:
        pairs = find_conv_bn_pairs(backbone) if fold else {}
        for conv in _plain_modules(backbone, nn.Conv2d):
            norm = pairs.get(conv)
            if norm is None and not channels_last:
                continue
            # torch declares no `memory_format` for `Module.to`.
            fast: Any = copy.deepcopy(conv)
            if norm is not None and (rest := _behind_normalization(norm)) is not None:
                # In double precision, so that weights are rounded once.
                fast = fuse_conv_bn_eval(
                    fast.double(), copy.deepcopy(norm).double()).to(conv.weight)
                _cover(covered, norm, rest)
            if channels_last:
                fast = fast.to(memory_format=torch.channels_last)
            _cover(covered, conv, fast.requires_grad_(False).forward)
        if amp is not None:
            _cover(covered, backbone, _autocast(backbone, AMP_TYPES[amp]))
        yield len(pairs)


def check_amp(amp: str, device: torch.device | str) -> None:
    """Refuse half precision where it would be slower than single precision.

    Args:
        amp (str): ``'bf16'`` or ``'fp16'``.
        device (torch.device | str): Where the model is.

    Raises:
        ValueError: If the precision is unknown, or the device has no
            instructions for it.
    """
    if amp not in AMP_TYPES:
        raise ValueError(f'amp must be one of {list(AMP_TYPES)}, got {amp!r}')
    kind = torch.device(device).type
    if kind == 'cuda' and amp == 'bf16' and not torch.cuda.is_bf16_supported(
            including_emulation=False):
        raise ValueError('this GPU has no bfloat16 arithmetic: use fp16, or '
                         'leave half precision out')
    if kind == 'cpu' and amp == 'fp16':
        raise ValueError('fp16 needs a GPU; on a CPU use bf16, or leave half '
                         'precision out')
    if kind == 'cpu' and not cpu_has_bf16():
        raise ValueError(
            'this CPU has no bfloat16 instructions (AVX-512 BF16 or AMX on x86), '
            'without which bf16 is slower than single precision: leave it out')


def cpu_has_bf16() -> bool:
    """Whether the CPU multiplies bfloat16 numbers in hardware."""
    if not torch.backends.mkldnn.is_available():
        return False
    try:
        with open(CPU_FLAGS, encoding='ascii') as file:
            flags = next((line for line in file
                          if line.startswith(('flags', 'Features'))), '').split()
    except OSError:
        return False
    return not {'avx512_bf16', 'amx_bf16', 'bf16'}.isdisjoint(flags)


def find_conv_bn_pairs(backbone: nn.Module) -> dict[nn.Conv2d, _BatchNorm]:
    """Convolutions whose output is read by one batch normalisation alone.

    Args:
        backbone (nn.Module): In evaluation mode; it computes the features of one
            black image of 64 x 64 pixels.

    Returns:
        dict[nn.Conv2d, _BatchNorm]: The normalisation of each such convolution.
    """
    convs = _plain_modules(backbone, nn.Conv2d)
    norms = [
        norm for norm in _plain_modules(backbone, _BatchNorm)
        if not norm.training and norm.running_mean is not None
        and _behind_normalization(norm) is not None
    ]
    if not convs or not norms:
        return {}
    calls: Counter[nn.Module] = Counter()
    written: dict[nn.Conv2d, Tensor] = {}
    read: dict[_BatchNorm, Tensor] = {}

    def after_conv(conv: nn.Conv2d, _, output: Tensor) -> None:
        calls[conv] += 1
        written[conv] = output

    def before_norm(norm: _BatchNorm, args: tuple) -> None:
        calls[norm] += 1
        read[norm] = args[0]

    handles = [conv.register_forward_hook(after_conv) for conv in convs]
    handles += [norm.register_forward_pre_hook(before_norm) for norm in norms]
    image = next(backbone.parameters()).new_zeros(1, 3, 64, 64)
    try:
        with torch.no_grad(), _CountReaders() as readers:
            features = backbone(image)
    except Exception as error:
        # Other channels or a fixed size: what it computes is not known then.
        print_log(f'batch normalisations stay as they are: {error}',
                  logger='current')
        return {}
    finally:
        for handle in handles:
            handle.remove()

    makers = {id(output): conv for conv, output in written.items()}
    pairs = {
        makers[id(x)]: norm for norm, x in read.items()
        if id(x) in makers and readers.count[id(x)] == 1
        and calls[norm] == calls[makers[id(x)]] == 1
    }
    # A map that someone keeps, as a feature, must stay what it is.
    maps = {conv: weakref.ref(written[conv]) for conv in pairs}
    for keeper in (written, read, readers.tensors):
        keeper.clear()
    pairs = {conv: norm for conv, norm in pairs.items() if maps[conv]() is None}
    del features
    return pairs


class _CountReaders(TorchDispatchMode):
    """Counts how many operations read each tensor; keeps them, for their ids."""

    def __init__(self) -> None:
        super().__init__()
        self.count: Counter[int] = Counter()
        self.tensors: list[Tensor] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        for leaf in tree_leaves((args, kwargs)):
            if isinstance(leaf, Tensor):
                self.count[id(leaf)] += 1
                self.tensors.append(leaf)
        return func(*args, **(kwargs or {}))


def _plain_modules(backbone: nn.Module, kind: type[ModuleT]) -> list[ModuleT]:
    """Layers of a kind of which nothing but their ``forward`` decides what they
    compute, and whose hooks watch nothing that folding would change."""
    return [
        module for module in backbone.modules()
        if isinstance(module, kind) and 'forward' not in vars(module)
        and not module._forward_hooks and not module._forward_pre_hooks
        and not parametrize.is_parametrized(module)
    ]


def _behind_normalization(norm: _BatchNorm) -> Callable | None:
    """What a layer does after it has normalised; None where that is unknown."""
    if type(norm) in (nn.BatchNorm2d, nn.SyncBatchNorm):
        return nn.Identity().forward
    # timm's contains an activation. Without timm it cannot occur.
    timm = sys.modules.get('timm.layers')
    if timm is not None and type(norm) is timm.BatchNormAct2d:
        return nn.Sequential(
            norm.get_submodule('drop'), norm.get_submodule('act')).forward
    return None


def _autocast(backbone: nn.Module, dtype: torch.dtype) -> Callable:
    forward = backbone.forward
    device = next(backbone.parameters()).device.type

    def half(x: Tensor):
        with torch.autocast(device, dtype):
            features = forward(x)
        if isinstance(features, Tensor):
            return features.float()
        return type(features)(feature.float() for feature in features)

    return half


def _cover(covered: ExitStack, module: nn.Module, forward: Callable) -> None:
    """Replace a module's ``forward`` until ``covered`` closes."""
    module.forward = forward
    covered.callback(delattr, module, 'forward')
