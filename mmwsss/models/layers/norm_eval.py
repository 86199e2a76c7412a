# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


def keep_statistics(module: nn.Module) -> None:
    """Let batch normalisations within a module use their running statistics."""
    for one in module.modules():
        if isinstance(one, _BatchNorm):
            one.eval()
