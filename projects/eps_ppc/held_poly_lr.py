# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from mmengine.optim import PolyLR
from mmseg.registry import PARAM_SCHEDULERS


@PARAM_SCHEDULERS.register_module()
class HeldPolyLR(PolyLR):
    r"""Poly decay that ends before the training does, and holds its last rate.

    PPC on EPS counts its decay in epochs, 19,830 iterations, and trains 20,000. At
    iteration t, with ``steps`` T, ``power`` p and ``eta_min`` :math:`\eta`, a base
    rate b has become

    .. math::
        \eta + (b - \eta) \left(1 - \frac {\min(t, T - 1)} T\right)^p

    Args:
        optimizer (OptimWrapper): The optimizer.
        steps (int): Iterations of the decay.
        **kwargs: Arguments of ``PolyLR``; ``end`` is that of the training.
    """

    def __init__(self, optimizer, *args, steps: int, **kwargs) -> None:
        self.steps = steps
        super().__init__(optimizer, *args, **kwargs)

    def _get_value(self) -> list[float]:
        step = min(self.last_step, self.steps - 1)
        left = (1 - step / self.steps)**self.power
        return [
            self.eta_min + (base - self.eta_min) * left
            for base in self.base_values
        ]
