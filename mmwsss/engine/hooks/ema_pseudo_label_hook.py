# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from typing import Any

from mmengine.hooks import Hook
from mmengine.model import ExponentialMovingAverage
from mmengine.optim import OptimWrapperDict
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from .stage_switch_hook import unwrap_model


@HOOKS.register_module()
class EMAPseudoLabelHook(Hook):
    """Let a slow copy of the model make the pseudo labels that it learns from.

    The copy, mmengine's ``ExponentialMovingAverage``, starts as the model that
    the training begins with and follows every update of the weights. The model
    gets it by ``model.set_teacher(module)``, must keep it out of its submodules
    and its state dict, and runs it without gradient. It is in evaluation mode;
    statistics and other buffers are those of the model.

    It is saved in every checkpoint (key ``'teacher'``) and restored when a
    training is resumed, so that a resumed run equals an unbroken one. Under
    distributed training each process keeps its own copy of the same weights.
    In stages (:class:`StageSwitchHook`) the copy changes its stage with the
    model.

    Unlike mmengine's ``EMAHook`` the averaged weights are never swapped into
    the model: validation and testing see the model itself.

    Args:
        momentum (float): Weight of the new values in an update; one minus the
            decay. Defaults to 0.001.

    Raises:
        ValueError: If the model has no ``set_teacher``.
    """

    def __init__(self, momentum: float = 0.001) -> None:
        self.momentum = momentum
        # The copy, an ExponentialMovingAverage, once the training has begun.
        self.average: Any = None
        self._resumed: dict | None = None

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Take what :meth:`before_train` will restore."""
        if not runner._resume:
            return
        self._resumed = checkpoint.get('teacher')
        if self._resumed is None:
            runner.logger.warning(
                'the checkpoint was written without EMAPseudoLabelHook; the '
                'average starts anew from its weights')

    def before_train(self, runner: Runner) -> None:
        """Copy the model, or restore the copy, and hand it over."""
        model = unwrap_model(runner.model)
        if not hasattr(model, 'set_teacher'):
            raise ValueError(f'{type(model).__name__} has no set_teacher, so '
                             'EMAPseudoLabelHook cannot serve it')
        model.set_teacher(None)
        self.average = ExponentialMovingAverage(model, momentum=self.momentum)
        if self._resumed is not None:
            self.average.load_state_dict(self._resumed)
            self._resumed = None
        self.average.eval()
        model.set_teacher(self.average.module)

    def before_train_iter(self,
                          runner: Runner,
                          batch_idx: int,
                          data_batch: dict | None = None) -> None:
        """Follow the model into its stage."""
        stage = getattr(unwrap_model(runner.model), 'stage', None)
        teacher = self.average.module
        if stage is not None and teacher.stage != stage:
            teacher.switch_stage(stage)
            teacher.requires_grad_(False)

    def after_train_iter(self,
                         runner: Runner,
                         batch_idx: int,
                         data_batch: dict | None = None,
                         outputs: dict | None = None) -> None:
        """Average, if the weights have just been updated."""
        optim_wrapper = runner.optim_wrapper
        if (isinstance(optim_wrapper, OptimWrapperDict)
                or optim_wrapper.should_update()):
            self.average.update_parameters(unwrap_model(runner.model))

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Save the copy beside the model."""
        if self.average is not None:
            checkpoint['teacher'] = {
                key: value.cpu()
                for key, value in self.average.state_dict().items()
            }
