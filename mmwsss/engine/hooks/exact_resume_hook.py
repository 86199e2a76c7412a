# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from collections.abc import Iterator

import torch
from mmengine.dist import broadcast, get_world_size
from mmengine.hooks import Hook
from mmengine.optim import OptimWrapperDict
from mmengine.runner import IterBasedTrainLoop, Runner
from mmseg.registry import HOOKS
from torch.utils.data import DataLoader

from mmwsss.datasets.transforms.seeding import seed_everything

from ..runner.sampler import ReproducibleInfiniteSampler
from .stage_switch_hook import unwrap_model


class _ResumedIterator:
    """Goes on in the stream of samples where the resumed run has to.

    The train loop itself skips what was trained: newer mmengines by calling
    ``skip_iter``, older ones by drawing and dropping batches. Neither is needed,
    since the sampler stands at the right place already; so the first
    ``ignored`` draws load nothing.
    """

    def __init__(self, dataloader: DataLoader, ignored: int) -> None:
        self._dataloader = dataloader
        self._ignored = ignored
        self._iterator: Iterator | None = None

    def skip_iter(self, num_iters: int) -> None:
        """Do nothing: the sampler skipped already."""

    def __next__(self) -> dict | None:
        if self._ignored:
            self._ignored -= 1
            return None
        if self._iterator is None:
            self._iterator = iter(self._dataloader)
        return next(self._iterator)


@HOOKS.register_module()
class ExactResumeHook(Hook):
    """Let a resumed run continue exactly as the unbroken one.

    mmengine restores weights, optimizer and schedulers. This hook adds:

    - The model's random numbers (dropout and the like): before every iteration
      all global generators are seeded from (seed, rank, iteration). Stored
      generator states would not do, since a checkpoint is written between two
      draws of a validation, an iterator's construction and whatever else
      consumes random numbers, none of which happens again on resuming.
    - The stream of samples: :class:`ReproducibleInfiniteSampler` is set, without
      loading anything, to where the checkpoint was written, with the seed of the
      checkpoint, also if the config's ``randomness`` has no seed.
    - Gradients under accumulation. They are in the checkpoint if it is written
      amid ``accumulative_counts`` by a single process; in distributed training
      each process would have its own, so there write checkpoints at multiples
      of ``accumulative_counts`` (mmengine warns otherwise).
    - The validation that follows the checkpoint's iteration, if one does: a kill
      may have come between the two.

    On the CPU losses and weights are the same to the last bit. A run that goes on
    in another number of processes is not exact: a warning says so, and whether the
    stream of samples goes on without a gap at least.
    """

    # After all others: nothing draws random numbers before the model does.
    priority = 'LOWEST'

    def __init__(self) -> None:
        self._seed = 0
        self._gradients: dict = {}
        self._resumed: dict = {}

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Take what :meth:`before_train` will restore."""
        if runner._resume:
            self._resumed = checkpoint['meta']
            self._gradients = checkpoint.get('gradients', {})

    def before_train(self, runner: Runner) -> None:
        """Restore the stream of samples and gradients under accumulation; validate
        if that is due."""
        # With ``diff_rank_seed`` only the first process has the plain seed.
        seed = torch.tensor(runner.seed)
        broadcast(seed)
        self._seed = int(seed.item())
        if runner.iter > 0:
            self._warn_of_other_processes(runner)
            self._restore_stream(runner)
        model = unwrap_model(runner.model)
        for name, gradient in self._gradients.items():
            parameter = model.get_parameter(name)
            parameter.grad = gradient.to(parameter.device)
        self._gradients = {}
        if runner.iter > 0:
            self._validate_if_due(runner)

    def before_train_iter(self,
                          runner: Runner,
                          batch_idx: int,
                          data_batch: dict | None = None) -> None:
        """Seed all generators."""
        seed_everything(1, self._seed, runner.rank, runner.iter)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Note the seed of the stream, and gradients under accumulation."""
        meta, sampler = checkpoint['meta'], _sampler(runner)
        if sampler is not None:
            meta.update(sampler_seed=sampler.seed, processes=get_world_size(),
                        batch_size=_batch_size(runner))
        optim_wrapper = runner.optim_wrapper
        if (get_world_size() == 1
                and not isinstance(optim_wrapper, OptimWrapperDict)
                and not optim_wrapper.should_update()):
            checkpoint['gradients'] = {
                name: parameter.grad.cpu()
                for name, parameter in unwrap_model(runner.model).named_parameters()
                if parameter.grad is not None
            }

    def _warn_of_other_processes(self, runner: Runner) -> None:
        processes = self._resumed.get('processes')
        batch_size = self._resumed.get('batch_size')
        # A checkpoint of an older version, or of another sampler, does not say.
        if (_sampler(runner) is None or not isinstance(processes, int)
                or not isinstance(batch_size, int)):
            return
        before = processes, batch_size
        now = get_world_size(), _batch_size(runner)
        if before == now:
            return
        is_gapless = before[0] * before[1] == now[0] * now[1]
        runner.logger.warning(
            f'the checkpoint was written by {_describe(*before)}, and this is '
            f'{_describe(*now)}: resuming is not exact, the run will not end as an '
            'unbroken one; ' +
            ('each sample is still seen in its turn' if is_gapless else
             'some samples are seen twice or left out'))

    def _restore_stream(self, runner: Runner) -> None:
        sampler, loop = _sampler(runner), runner.train_loop
        if sampler is None or not isinstance(loop, IterBasedTrainLoop):
            return
        seed = self._resumed.get('sampler_seed')
        if seed is not None:
            sampler.seed = seed
        sampler.skip(runner.iter * _batch_size(runner))
        draws = not hasattr(loop.dataloader_iterator, 'skip_iter')
        loop.dataloader_iterator = _ResumedIterator(
            loop.dataloader, ignored=runner.iter if draws else 0)

    @staticmethod
    def _validate_if_due(runner: Runner) -> None:
        loop, done = runner.train_loop, runner.iter
        if runner.val_loop is None or not isinstance(loop, IterBasedTrainLoop):
            return
        loop._decide_current_val_interval()
        if done >= loop.val_begin and (
                done % loop.val_interval == 0 or done == loop.max_iters):
            runner.val_loop.run()


def _batch_size(runner: Runner) -> int:
    return runner.train_dataloader.batch_sampler.batch_size


def _describe(processes: int, batch_size: int) -> str:
    return (f'{processes} process{"es" * (processes > 1)} with batches of '
            f'{batch_size}')


def _sampler(runner: Runner) -> ReproducibleInfiniteSampler | None:
    sampler = getattr(runner.train_dataloader.batch_sampler, 'sampler', None)
    if isinstance(sampler, ReproducibleInfiniteSampler):
        return sampler
    return None
