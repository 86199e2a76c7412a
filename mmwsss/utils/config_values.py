# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""What the values of a config must be where mmengine says it late or not at all."""

import logging
import math
from collections.abc import Callable, Iterator
from typing import Any

from .lists import MAX_CLASSES
from .nested import dicts_by_key


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and _is_number(value) and value >= least


Kind = tuple[Callable[[Any], bool], str]
_DICT: Kind = (lambda value: isinstance(value, dict), 'a dict')
_HOOKS: Kind = (
    lambda value: isinstance(value, (list, tuple)) and all(
        isinstance(hook, dict) and 'type' in hook for hook in value),
    'a list of dicts with a type')
_DICT_OR_FLAG: Kind = (
    lambda value: isinstance(value, (bool, dict)), 'True, False or a dict')
_FLAG: Kind = (lambda value: isinstance(value, bool), 'True or False')
_NAMES: Kind = (
    lambda value: isinstance(value, (str, list, tuple)), 'a name or a list of names')
_MODE: Kind = (lambda value: value in ('whole', 'slide'), "'whole' or 'slide'")
_SYNC: Kind = (lambda value: value in ('torch', 'mmcv'), "'torch' or 'mmcv'")
_TEXT: Kind = (lambda value: isinstance(value, str), 'a string')
_SIZE: Kind = (
    lambda value: isinstance(value, (list, tuple)) and len(value) == 2 and all(
        _is_whole(side, 1) for side in value), 'a height and a width in pixels')
_PIPELINE: Kind = (
    lambda value: isinstance(value, (list, tuple)) and bool(value),
    'a list of at least one transform')
_COUNT: Kind = (lambda value: _is_whole(value, 1), 'a whole number of at least 1')
_WORKERS: Kind = (lambda value: _is_whole(value, 0), 'a whole number of at least 0')
_KEPT: Kind = (lambda value: _is_whole(value, -1),
               'a whole number of at least 1, or -1 for all')
_INTERVAL: Kind = (lambda value: _is_whole(value, 1) or value == -1,
                   'a whole number of at least 1, or -1 for never')
_RATE: Kind = (
    lambda value: _is_number(value) and math.isfinite(value) and value >= 0,
    'a number of at least 0')
_SEED: Kind = (lambda value: value is None or _is_whole(value, 0),
               'a whole number of at least 0, or None')
_CLASSES: Kind = (
    lambda value: _is_whole(value, 1) and value <= MAX_CLASSES,
    f'a whole number of 1 to {MAX_CLASSES}: masks have 8 bits')
_LEVEL: Kind = (
    lambda value: _is_whole(value, 0) or isinstance(value, str) and isinstance(
        logging.getLevelName(value), int), 'a level of logging, such as INFO')

_KINDS: dict[str, Kind] = {
    'model': _DICT, 'model.data_preprocessor.size': _SIZE, 'custom_hooks': _HOOKS,
    'default_hooks': _DICT, 'auto_scale_lr': _DICT, 'load_from': _TEXT,
    'model.train_cfg': _DICT, 'model.test_cfg': _DICT, 'model.test_cfg.mode': _MODE,
    'compile': _DICT_OR_FLAG, 'efficient_conv_bn_eval': _NAMES,
    'experiment_name': _TEXT, 'find_unused_parameters': _FLAG,
    'model_wrapper_cfg': _DICT, 'log_processor': _DICT,
    'log_processor.window_size': _COUNT, 'log_processor.num_digits': _WORKERS,
    'default_scope': _TEXT, 'sync_bn': _SYNC,
    'default_hooks.checkpoint.max_keep_ckpts': _KEPT,
    'default_hooks.checkpoint.interval': _INTERVAL, 'randomness': _DICT,
    'randomness.seed': _SEED, 'randomness.deterministic': _FLAG,
    'randomness.diff_rank_seed': _FLAG, 'env_cfg.cudnn_benchmark': _FLAG,
    'log_level': _LEVEL, 'optim_wrapper': _DICT,
    'optim_wrapper.optimizer': _DICT, 'optim_wrapper.optimizer.lr': _RATE,
    'optim_wrapper.optimizer.momentum': _RATE,
    'optim_wrapper.optimizer.weight_decay': _RATE, 'env_cfg': _DICT,
    'train_dataloader.dataset.pipeline': _PIPELINE, 'train_cfg.max_iters': _COUNT,
    'train_cfg.max_epochs': _COUNT, 'train_cfg.val_interval': _COUNT,
    **{f'{split}_cfg': _DICT for split in ('train', 'val', 'test')},
    **{f'{split}_dataloader{below}': kind
       for split in ('train', 'val', 'test', 'seed') for below, kind in {
           '': _DICT, '.dataset': _DICT, '.batch_size': _COUNT,
           '.num_workers': _WORKERS}.items()}}
# A whole part that is None is left out.
_MAY_BE_NONE = frozenset(key for key in _KINDS if '.' not in key) | {
    'default_hooks.checkpoint.interval', 'model.data_preprocessor.size',
    'model.train_cfg', 'model.test_cfg'}


def check_values(cfg: dict, source: str = 'the config') -> None:
    """Refuse values that cannot be, before anything is built.

    mmengine takes them as they are: a training of 0 iterations ends well, and a
    learning rate that is a word shows where in the code it is compared.

    Args:
        cfg (dict): The config.
        source (str): What errors call it. Defaults to 'the config'.

    Raises:
        ValueError: Naming the setting by its dotted key.
    """
    for key, (fits, words), value in _values(cfg):
        if not fits(value):
            raise ValueError(f'option {key} must be {words}, got {value!r} ({source})')


def _values(cfg: dict) -> Iterator[tuple[str, Kind, Any]]:
    """The values that are there, by dotted key, with what each must be."""
    for key, kind in _KINDS.items():
        value: Any = cfg
        for name in key.split('.'):
            if not isinstance(value, dict) or name not in value:
                break
            value = value[name]
        else:
            if value is not None or key not in _MAY_BE_NONE:
                yield key, kind, value
    for key, part in dicts_by_key(cfg.get('model'), 'model'):
        if '_head' in key and 'num_classes' in part:
            yield f'{key}.num_classes', _CLASSES, part['num_classes']
    for name in ('default_hooks', 'custom_hooks'):
        for key, hook in dicts_by_key(cfg.get(name), name):
            if key.count('.') == 1 and hook.get('interval') is not None:
                yield f'{key}.interval', _INTERVAL, hook['interval']
