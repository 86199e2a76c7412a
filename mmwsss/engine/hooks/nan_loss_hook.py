# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from .stage_switch_hook import unwrap_model


@HOOKS.register_module()
class NaNLossHook(Hook):
    """Stop a training whose loss or weights are no longer finite.

    Each iteration's losses are checked before anything is saved, and the
    parameters before each checkpoint, so that the last checkpoint is a good one.
    The error names the iteration, the losses and the images of the batch.
    ``CheckInvalidLossHook`` of mmengine looks only now and then and names none.

    Raises:
        FloatingPointError: If a loss or a parameter is NaN or infinite.
    """

    priority = 'VERY_HIGH'

    def __init__(self) -> None:
        self._batch = 'unknown'

    def after_train_iter(self,
                         runner: Runner,
                         batch_idx: int,
                         data_batch: dict | None = None,
                         outputs: dict | None = None) -> None:
        """Check the losses of an iteration."""
        self._batch = _image_names(data_batch)
        bad = {
            name: float(value)
            for name, value in (outputs or {}).items() if 'loss' in name
            and not torch.isfinite(torch.as_tensor(value)).all()
        }
        if bad:
            raise FloatingPointError(
                f'loss is not finite in iteration {runner.iter + 1}: {bad}; '
                f'images: {self._batch}')

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Check the parameters before they are saved."""
        for name, parameter in unwrap_model(runner.model).named_parameters():
            if not torch.isfinite(parameter).all():
                raise FloatingPointError(
                    f'parameter {name} is not finite after iteration '
                    f'{checkpoint["meta"]["iter"]}, so no checkpoint is '
                    f'written; last images: {self._batch}')


def _image_names(data_batch: dict | None) -> str:
    """The ids of a batch's images, or their paths."""
    if not isinstance(data_batch, dict):
        return 'unknown'
    names = []
    for sample in data_batch.get('data_samples', []):
        meta = getattr(sample, 'metainfo', {})
        names.append(str(meta.get('img_id', meta.get('img_path', 'unknown'))))
    return ', '.join(names) or 'unknown'
