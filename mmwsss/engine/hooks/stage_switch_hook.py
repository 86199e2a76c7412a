# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import copy
import gc
import os.path as osp
from bisect import bisect_left
from itertools import accumulate
from typing import Any

from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.model import BaseTTAModel, is_model_wrapper
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.runner import BaseLoop, IterBasedTrainLoop, Runner
from mmseg.registry import HOOKS
from torch import nn

from .atomic_checkpoint_hook import note_last_checkpoint


def unwrap_model(model: Any) -> Any:
    """Take the model out of its distributed or test-time wrapper.

    Args:
        model (nn.Module): A model, with or without wrappers.

    Returns:
        nn.Module: The model. Not declared as such: which methods and submodules
        it has depends on the config.
    """
    while is_model_wrapper(model) or isinstance(model, BaseTTAModel):
        model = model.module
    return model


def apply_checkpoint_stage(model: nn.Module, checkpoint: dict) -> None:
    """Switch a model to the stage that a checkpoint was written in.

    Nothing happens if the model has no ``switch_stage`` or the checkpoint names
    no stage.

    Args:
        model (nn.Module): A model, with or without wrappers.
        checkpoint (dict): A checkpoint as mmengine writes it.
    """
    bare = unwrap_model(model)
    stage = checkpoint.get('meta', {}).get('stage')
    if stage is not None and hasattr(bare, 'switch_stage'):
        bare.switch_stage(stage)


@HOOKS.register_module()
class StageSwitchHook(Hook):
    """Train in stages, each with its own optimizer, within one run.

    When the last iteration of a stage is done, the model is saved as
    ``stage_<name>.pth`` (an ordinary checkpoint) and validated, as it was
    trained. Before the next iteration the hook calls
    ``model.switch_stage(name)``, if the model has that method, and makes a fresh
    optimizer of what then requires a gradient, fresh schedulers and, in
    distributed training, a fresh wrapper, whose reducer knows the new set of
    parameters.

    **Lengths.** The stages' ``iters`` are the one place for the length of the
    training: ``train_cfg.max_iters`` follows their sum, whatever it says. So
    ``--cfg-options custom_hooks.0.stages.0.iters=100`` is all there is to
    change.

    **Optimizer.** A stage's ``optim_wrapper`` is merged into the config's
    top-level ``optim_wrapper``, as an inheriting config is into its base; an
    optimizer of another ``type`` replaces the inherited one. A stage without
    ``param_scheduler`` has the top-level one. Schedulers count iterations from
    the stage's start, and their ``end`` defaults to the stage's length, that of
    ``PolyLR`` to one more: its factor is ``(1 - t / (end - begin - 1))**power``,
    hence here exactly ``(1 - t / iters)**power``, which is 1 at first and above
    0 at last. Leftovers of gradient accumulation are used up at the end of a
    stage, as mmengine does at the end of a training.

    **Resuming** at iteration ``k`` enters the stage with
    ``start < k <= start + iters`` before the optimizer is loaded. At its end the
    finished stage is validated (again) and the next one begun. A ``load_from``
    without ``resume`` switches nothing. In ``runner.test()`` and
    ``runner.val()`` the model is switched to the stage of the checkpoint, which
    is in ``checkpoint['meta']['stage']``.

    Args:
        stages (list[dict]): The stages in order. Keys: ``name`` (str), ``iters``
            (int), and optionally ``optim_wrapper`` (dict), ``param_scheduler``
            (dict, list or None). In configs ``epochs`` may stand for ``iters``, see
            :func:`mmwsss.utils.epochs.resolve_epochs`.
        checkpoint (bool): Whether to write ``stage_<name>.pth``. Defaults to
            True.
        validate (bool): Whether to validate at the end of each stage, if the
            loop has not just done so. Defaults to True.

    Raises:
        ValueError: If a stage is malformed, or if a checkpoint to resume does
            not fit the stages.

    Example:
        >>> custom_hooks = [dict(type='StageSwitchHook', stages=[
        ...     dict(name='classify', iters=1000),
        ...     dict(name='expand', iters=500, optim_wrapper=dict(
        ...         optimizer=dict(lr=0.01)), param_scheduler=None)])]
    """

    # Before RuntimeInfoHook, which logs the learning rate of the iteration.
    priority = 'HIGHEST'

    def __init__(self,
                 stages: list[dict],
                 checkpoint: bool = True,
                 validate: bool = True) -> None:
        self.stages = [self._check_stage(stage) for stage in stages]
        names = [stage['name'] for stage in self.stages]
        if not names or len(set(names)) != len(names):
            raise ValueError(
                f'stages need one or more distinct names, got {names}')
        # A test run does not ask how long stages are.
        self.counted = all('iters' in stage for stage in self.stages)
        self.ends = list(accumulate(stage.get('iters', 1) for stage in self.stages))
        self.checkpoint = checkpoint
        self.validate = validate
        self.index = 0
        self._resumed_at = 0
        self._validated_at = -1

    @staticmethod
    def _check_stage(stage: dict) -> dict:
        known = {'name', 'iters', 'epochs', 'min_iters', 'cap_iters',
                 'optim_wrapper', 'param_scheduler'}
        has_length = 'iters' in stage or 'epochs' in stage
        if set(stage) - known or 'name' not in stage or not has_length:
            raise ValueError(
                f'a stage has the keys name, iters and maybe optim_wrapper and '
                f'param_scheduler, got {sorted(stage)}')
        iters = stage.get('iters', 1)
        if not isinstance(iters, int) or iters < 1:
            raise ValueError(f'iters of stage {stage["name"]!r} must be a '
                             f'positive integer, got {iters!r}')
        return dict(stage)

    @property
    def name(self) -> str:
        """str: The present stage."""
        return self.stages[self.index]['name']

    @property
    def start(self) -> int:
        """int: The iterations done when the present stage began."""
        return self.ends[self.index] - self.stages[self.index]['iters']

    def before_run(self, runner: Runner) -> None:
        """Set the length of the training and enter the first stage."""
        if not self._trains(runner):
            return
        if not self.counted:
            raise ValueError('stages that count in epochs are for tools/train.py, '
                             'which turns them into iterations; give iters')
        loop = runner.train_loop
        if not isinstance(loop, IterBasedTrainLoop):
            raise ValueError('StageSwitchHook counts iterations and needs '
                             f'IterBasedTrainLoop, got {type(loop).__name__}')
        if loop.max_iters != self.ends[-1]:
            runner.logger.warning(
                f'train_cfg.max_iters={loop.max_iters} gives way to the sum of '
                f'the stages\' iters, {self.ends[-1]}')
            loop._max_iters = self.ends[-1]
        self._enter(runner, 0)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Enter the checkpoint's stage, if it is to be resumed or tested."""
        if not self._trains(runner):
            apply_checkpoint_stage(runner.model, checkpoint)
            return
        if not runner._resume:
            return
        done = checkpoint['meta']['iter']
        if done > self.ends[-1]:
            raise ValueError(f'cannot resume at iteration {done}: the stages '
                             f'end at {self.ends[-1]}')
        index = bisect_left(self.ends, done)
        written_in = checkpoint['meta'].get('stage', self.stages[index]['name'])
        if done and written_in != self.stages[index]['name']:
            raise ValueError(
                f'the checkpoint was written in stage {written_in!r} at '
                f'iteration {done}, which is in stage '
                f'{self.stages[index]["name"]!r} of this config; resume with '
                'the stages and iters of the run that wrote it')
        self._enter(runner, index)
        self._resumed_at = done

    def before_train(self, runner: Runner) -> None:
        """Count gradient accumulation from the start of the stage."""
        if runner.iter != self._resumed_at:
            raise ValueError(
                f'the runner is at iteration {runner.iter}, but was not resumed '
                'by its config (resume=True), so its stage is unknown')
        runner.optim_wrapper.initialize_count_status(
            runner.model, runner.iter - self.start,
            self.stages[self.index]['iters'])

    def before_train_iter(self,
                          runner: Runner,
                          batch_idx: int,
                          data_batch: dict | None = None) -> None:
        """At a border, finish the old stage and enter the new one."""
        if runner.iter != self.ends[self.index]:
            return
        self._finish(runner)
        self._enter(runner, self.index + 1)
        # Losses of the old stage would be logged for ever.
        scalars = runner.message_hub.log_scalars
        for key in list(scalars):
            if key.startswith('train/') and not key.endswith('time'):
                del scalars[key]
        runner.logger.info(
            f'Stage {self.name!r} begins after {runner.iter} iterations')

    def after_train(self, runner: Runner) -> None:
        """Finish the last stage."""
        if runner.iter == self.ends[-1]:
            self._finish(runner)

    def after_val_epoch(self,
                        runner: Runner,
                        metrics: dict | None = None) -> None:
        """Remember when the model was last validated."""
        if self._trains(runner):
            self._validated_at = runner.iter

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Note the stage in the checkpoint."""
        checkpoint['meta']['stage'] = self.name

    @staticmethod
    def _trains(runner: Runner) -> bool:
        # In a test run the train loop, if configured, is never built.
        return isinstance(runner._train_loop, BaseLoop)

    def _finish(self, runner: Runner) -> None:
        """Save and validate the model of the present stage."""
        if self.checkpoint:
            filename = f'stage_{self.name}.pth'
            runner.save_checkpoint(
                runner.work_dir,
                filename,
                meta=dict(epoch=runner.epoch, iter=runner.iter),
                by_epoch=False,
                backend_args=dict(backend='atomic'))
            note_last_checkpoint(runner, osp.join(runner.work_dir, filename))
        if (self.validate and runner.val_loop is not None
                and self._validated_at != runner.iter):
            runner.val_loop.run()

    def _enter(self, runner: Runner, index: int) -> None:
        """Make model, wrapper, optimizer and schedulers those of a stage."""
        self.index = index
        stage = self.stages[index]
        wrapped = is_model_wrapper(runner.model)
        model = unwrap_model(runner.model)
        if hasattr(model, 'switch_stage'):
            model.switch_stage(self.name)
        # Gradients of the old stage must not leak into the new one.
        model.zero_grad(set_to_none=True)
        if wrapped:
            # The old reducer's hooks on the parameters go with the old wrapper.
            runner.model = model
            gc.collect()
            runner.model = runner.wrap_model(
                runner.cfg.get('model_wrapper_cfg'), model)
            if index > 0:
                runner._maybe_compile('train_step')

        # mmengine scales learning rates only while no scheduler is built.
        runner.param_schedulers = None
        runner.optim_wrapper = self._build_optim_wrapper(runner, stage)
        runner.scale_lr(runner.optim_wrapper, runner.auto_scale_lr)
        schedulers = stage.get('param_scheduler',
                               runner.cfg.get('param_scheduler'))
        if schedulers:
            runner.param_schedulers = runner.build_param_scheduler(
                self._fill_schedulers(schedulers, stage['iters']))
        runner.optim_wrapper.initialize_count_status(runner.model, 0,
                                                     stage['iters'])
        runner.model.train()

    @staticmethod
    def _build_optim_wrapper(runner: Runner, stage: dict) -> OptimWrapper:
        inherited = copy.deepcopy(runner.cfg.get('optim_wrapper', {}))
        own = copy.deepcopy(stage.get('optim_wrapper', {}))
        if own.get('optimizer', {}).get('type') not in (
                None, inherited.get('optimizer', {}).get('type')):
            own['optimizer']['_delete_'] = True
            inherited.setdefault('optimizer', {})
        cfg = Config(dict(optim_wrapper=inherited))
        cfg.merge_from_dict(dict(optim_wrapper=own))
        wrapper = runner.build_optim_wrapper(cfg.optim_wrapper)

        parts = [wrapper]
        if isinstance(wrapper, OptimWrapperDict):
            parts = list(wrapper.values())
        groups = [g for part in parts for g in part.optimizer.param_groups]
        for group in groups:
            group['params'] = [p for p in group['params'] if p.requires_grad]
        if not any(group['params'] for group in groups):
            raise ValueError(f'nothing to train in stage {stage["name"]!r}: '
                             'no parameter requires a gradient')
        return wrapper

    @classmethod
    def _fill_schedulers(cls, schedulers: dict | list,
                         iters: int) -> dict | list:
        """Give schedulers the stage's units and length, where they say none."""
        if isinstance(schedulers, (list, tuple)):
            return [cls._fill_schedulers(one, iters) for one in schedulers]
        schedulers = copy.deepcopy(schedulers)
        if 'type' not in schedulers:
            return {
                name: cls._fill_schedulers(one, iters)
                for name, one in schedulers.items()
            }
        schedulers.setdefault('by_epoch', False)
        if not schedulers['by_epoch']:
            poly = str(schedulers['type']).endswith('PolyLR')
            schedulers.setdefault('end', iters + poly)
        return schedulers
