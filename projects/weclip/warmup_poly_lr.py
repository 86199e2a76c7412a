# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from mmengine.optim import PolyLR
from mmseg.registry import PARAM_SCHEDULERS


@PARAM_SCHEDULERS.register_module()
class WarmupPolyLR(PolyLR):
    r"""A linear warm-up, then a polynomial that has begun with it.

    At iteration t of T, of a base rate b, until the W iterations of warm-up end and
    from then on, with ``warmup_ratio`` r and ``power`` p:

    .. math::
        b \left(1 - \left(1 - \frac t W\right) (1 - r)\right), \quad
        b \left(1 - \frac t T\right)^p

    As in the code of AFA and WeCLIP.

    Args:
        optimizer (OptimWrapper): The optimizer.
        total (int): T.
        warmup (int): W. Defaults to 50.
        warmup_ratio (float): The factor at the first iteration. Defaults to 1e-6.
        **kwargs: Arguments of ``PolyLR``, such as ``power``.

    Raises:
        ValueError: If the warm-up is longer than the whole.
    """

    def __init__(self,
                 optimizer,
                 *args,
                 total: int,
                 warmup: int = 50,
                 warmup_ratio: float = 1e-6,
                 **kwargs) -> None:
        if not 0 <= warmup <= total:
            raise ValueError(
                f'warmup must be within 0 and total={total}, got {warmup}')
        self.total = total
        self.warmup = warmup
        self.warmup_ratio = warmup_ratio
        super().__init__(optimizer, *args, **kwargs)

    def _get_value(self) -> list[float]:
        if self.last_step < self.warmup:
            rest = 1 - self.last_step / self.warmup
            factor = 1 - rest * (1 - self.warmup_ratio)
        else:
            factor = max(1 - self.last_step / self.total, 0.)**self.power
        return [base * factor for base in self.base_values]
