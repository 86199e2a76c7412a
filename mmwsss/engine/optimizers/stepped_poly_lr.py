# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from mmengine.optim import PolyLR
from mmseg.registry import PARAM_SCHEDULERS


@PARAM_SCHEDULERS.register_module()
class SteppedPolyLR(PolyLR):
    """Poly decay that is refreshed every few steps, as deeplab-pytorch does.

    Args:
        optimizer (OptimWrapper): The optimizer.
        refresh (int): Steps between two refreshes. Defaults to 10.
        **kwargs: Arguments of ``PolyLR`` (``power``, ``end``, ``by_epoch``,
            ...).
    """

    def __init__(self, optimizer, *args, refresh: int = 10, **kwargs) -> None:
        self.refresh = refresh
        super().__init__(optimizer, *args, **kwargs)

    def _get_value(self) -> list[float]:
        if self.last_step % self.refresh:
            return [group[self.param_name] for group in self.optimizer.param_groups]
        left = max(1 - self.last_step / self.total_iters, 0.)**self.power
        return [
            self.eta_min + (base - self.eta_min) * left
            for base in self.base_values
        ]
