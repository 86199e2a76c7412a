# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import math

from mmengine.optim import CosineAnnealingLR
from mmseg.registry import PARAM_SCHEDULERS


@PARAM_SCHEDULERS.register_module()
class EpochCosineLR(CosineAnnealingLR):
    r"""Linear warm-up and half a cosine, one rate for each epoch, as timm has it.

    In epoch e of E the rate is, of a base rate b, until the W epochs of warm-up end
    and from then on, with ``warmup_lr`` w and ``eta_min`` :math:`\eta`:

    .. math::
        w + (b - w) \frac e W, \quad
        \eta + (b - \eta) \frac {1 + \cos(\pi e / E)} 2

    The cosine has begun with the warm-up, and the last epoch is one short of
    ``eta_min``. Neither bound depends on the batch size.

    Args:
        optimizer (OptimWrapper): The optimizer.
        iters_per_epoch (int): Iterations of an epoch.
        epochs (int): E.
        warmup_epochs (int): W. Defaults to 5.
        warmup_lr (float): Defaults to 1e-6.
        delay (int): Epochs that the rate lags behind. MCTformer's code sets the rate
            of an epoch when that has ended, a lag of 1. Defaults to 0.
        **kwargs: Arguments of ``CosineAnnealingLR``, such as ``eta_min``.

    Raises:
        ValueError: If the warm-up is longer than the whole.
    """

    def __init__(self,
                 optimizer,
                 *args,
                 iters_per_epoch: int,
                 epochs: int,
                 warmup_epochs: int = 5,
                 warmup_lr: float = 1e-6,
                 delay: int = 0,
                 **kwargs) -> None:
        if not 0 <= warmup_epochs <= epochs:
            raise ValueError('warmup_epochs must be within 0 and epochs='
                             f'{epochs}, got {warmup_epochs}')
        self.iters_per_epoch = iters_per_epoch
        self.epochs = epochs
        self.warmup_epochs = warmup_epochs
        self.warmup_lr = warmup_lr
        self.delay = delay
        super().__init__(optimizer, *args, T_max=epochs, **kwargs)

    def _get_value(self) -> list[float]:
        epoch = max(self.last_step // self.iters_per_epoch - self.delay, 0)
        if epoch < self.warmup_epochs:
            part = epoch / self.warmup_epochs
            return [self.warmup_lr + (base - self.warmup_lr) * part
                    for base in self.base_values]
        part = (1 + math.cos(math.pi * min(epoch / self.epochs, 1))) / 2
        return [self.eta_min + (base - self.eta_min) * part
                for base in self.base_values]
