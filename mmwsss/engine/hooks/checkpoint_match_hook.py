# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import re
from collections.abc import Iterable

from mmengine.hooks import Hook
from mmengine.runner import BaseLoop, Runner
from mmseg.registry import HOOKS

from .stage_switch_hook import unwrap_model


@HOOKS.register_module()
class CheckpointMatchHook(Hook):
    """Refuse the checkpoint of another model.

    mmengine loads what fits and goes on with a warning. Here, to test or to
    resume, every tensor of model and checkpoint must have its counterpart of
    the same shape; only tensors of an auxiliary head, which serves training
    alone, may be surplus in a test. For a ``load_from`` in training something
    must fit; mmengine's warning lists what does not.

    Raises:
        ValueError: Listing tensors that miss, are surplus or of other shapes.
    """

    # After hooks that exchange the weights, such as EMAHook.
    priority = 'LOWEST'

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Compare a checkpoint with the model before it is loaded."""
        state = checkpoint.get('state_dict', checkpoint)
        state = {re.sub(r'^module\.', '', str(key)): v for key, v in state.items()}
        for key, value in state.items():
            if not hasattr(value, 'shape'):
                raise ValueError(
                    f'{key!r} of checkpoint {runner._load_from} is a '
                    f'{type(value).__name__}, expected weights by name')
        model = unwrap_model(runner.model)
        own = model.state_dict()
        fitting = [
            key for key, value in state.items()
            if key in own and own[key].shape == value.shape
        ]
        training = isinstance(runner._train_loop, BaseLoop)
        if training and not runner._resume:
            if not fitting:
                raise ValueError(
                    f'no tensor of checkpoint {runner._load_from} fits '
                    f'{type(model).__name__}; it has {_some(state)}, the model '
                    f'{_some(own)}')
            return

        missing = [
            key for key in own
            if key not in state and not key.endswith('num_batches_tracked')
        ]
        surplus = [
            key for key in state
            if key not in own and not key.endswith('num_batches_tracked')
            and (training or not key.startswith('auxiliary_head.'))
        ]
        reshaped = [
            f'{key} {tuple(state[key].shape)} for {tuple(own[key].shape)}'
            for key in own if key in state and key not in fitting
        ]
        found = (('missing', missing), ('surplus', surplus),
                 ('of other shape', reshaped))
        if problems := [f'{words} {_some(keys)}' for words, keys in found if keys]:
            raise ValueError(
                f'the checkpoint is of another model than '
                f'{type(model).__name__}: ' + '; '.join(problems) +
                self._compare_classes(model, checkpoint))

    @staticmethod
    def _compare_classes(model, checkpoint: dict) -> str:
        """Name the numbers of classes, if these differ."""
        meta = checkpoint.get('meta') or {}
        classes = (meta.get('dataset_meta') or {}).get('classes')
        num_classes = getattr(
            getattr(model, 'decode_head', None), 'num_classes', None)
        if classes is None or num_classes in (None, len(classes)):
            return ''
        return (f'. It was trained for {len(classes)} classes, the model has '
                f'num_classes={num_classes}')


def _some(names: Iterable[str]) -> str:
    """The first eight names of a list and its length."""
    names = list(names)
    more = f', ... ({len(names)} in all)' if len(names) > 8 else ''
    return ', '.join(names[:8]) + more
