# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from contextlib import ExitStack
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from ..inference import check_amp, fast_inference
from .stage_switch_hook import unwrap_model


@HOOKS.register_module()
class FastInferenceHook(Hook):
    """Let the backbone compute faster in the test loop; see
    :func:`mmwsss.engine.fast_inference`.

    Training and validation are as without it, and the model is as before after
    the test. The tools that make seeds and walks add it to ``default_hooks`` as
    ``fast_inference``; ``default_hooks.fast_inference=None`` leaves it out.

    Args:
        fold (bool): Whether convolutions take over the batch normalisations
            behind them. Defaults to True.
        channels_last (bool): Whether maps lie channels last. Defaults to True.
        amp (str, optional): ``'bf16'`` or, on a GPU, ``'fp16'``: the precision
            of the backbone. Defaults to None: single precision.
    """

    def __init__(self,
                 fold: bool = True,
                 channels_last: bool = True,
                 amp: str | None = None) -> None:
        self.settings: dict[str, Any] = dict(
            fold=fold, channels_last=channels_last, amp=amp)
        self._fast = ExitStack()

    def before_test(self, runner: Runner) -> None:
        """Begin, with the weights that the test has loaded."""
        # A test that failed has not ended.
        self._fast.close()
        backbone = getattr(unwrap_model(runner.model), 'backbone', None)
        if backbone is None:
            runner.logger.info('the model has no backbone: it computes as it is')
            return
        # The loop does so, too, but later.
        runner.model.eval()
        if self.settings['amp'] is not None:
            check_amp(self.settings['amp'], next(backbone.parameters()).device)
        folded = self._fast.enter_context(fast_inference(backbone, **self.settings))
        runner.logger.info('%d batch normalisations are folded into convolutions',
                           folded)

    def after_test(self, runner: Runner) -> None:
        """End; the model is as before."""
        self._fast.close()
