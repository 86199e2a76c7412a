# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
from mmengine.dist import broadcast, get_world_size
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS
from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from .stage_switch_hook import unwrap_model


@HOOKS.register_module()
class SharedStatisticsHook(Hook):
    """Let all processes have the first one's running statistics.

    Under distributed training each process measures the statistics of its own
    batches, while a checkpoint holds those of the first process. Where a later
    stage, a moving average or a validation reads them, a resumed run would
    differ from an unbroken one. So after each iteration all take those of the
    first. Layers that measure nothing, as with ``norm_eval``, cost nothing, and
    ``SyncBatchNorm`` has the same everywhere already.
    """

    # Before all that reads or saves them.
    priority = 'VERY_HIGH'

    def after_train_iter(self,
                         runner: Runner,
                         batch_idx: int,
                         data_batch: dict | None = None,
                         outputs: dict | None = None) -> None:
        """Take over the statistics of the first process."""
        if get_world_size() == 1:
            return
        statistics = [
            value for module in unwrap_model(runner.model).modules()
            if isinstance(module, _NormBase) and module.training
            and not isinstance(module, nn.SyncBatchNorm)
            for value in (module.running_mean, module.running_var)
            if value is not None
        ]
        if not statistics:
            return
        # In one message.
        flat = torch.cat([value.double() for value in statistics])
        broadcast(flat)
        for value, shared in zip(
                statistics, flat.split([len(value) for value in statistics]),
                strict=True):
            value.copy_(shared)
