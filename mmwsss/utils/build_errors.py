# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Which part of a config an error comes from, before a run is under way."""

import os.path as osp
from collections.abc import Iterator
from traceback import walk_tb
from types import FrameType
from typing import Any

from .config_options import TOP_KEYS
from .nested import dicts_by_key

_REGISTRY = osp.join('mmengine', 'registry', 'build_functions.py')
_RUNNER = osp.join('mmengine', 'runner', 'runner.py')
_LOOPS = osp.join('mmengine', 'runner', 'loops.py')
_MODULE = osp.join('torch', 'nn', 'modules', 'module.py')
_STEPS = dict(
    __init__='', from_cfg='', setup_env='env_cfg', set_randomness='randomness',
    build_logger='log_level', build_message_hub='experiment_name',
    build_visualizer='visualizer', build_model='model', wrap_model='model_wrapper_cfg',
    _init_model_weights='model', scale_lr='auto_scale_lr',
    build_optim_wrapper='optim_wrapper', build_param_scheduler='param_scheduler',
    build_train_loop='train_cfg', build_val_loop='val_cfg', build_test_loop='test_cfg',
    build_evaluator='', build_dataloader='', build_log_processor='log_processor',
    register_default_hooks='default_hooks', register_custom_hooks='custom_hooks',
    turn_on_efficient_conv_bn_eval='efficient_conv_bn_eval', _maybe_compile='compile',
    turn_on_activation_checkpointing='activation_checkpointing', dump_config='')
"""What mmengine's Runner does before it trains -> the setting that it reads."""


def failed_part(error: BaseException) -> str:
    """What could not be built from a config, as ``'model.backbone (ResNet)'``.

    mmengine's builders tell nothing of it: what a type says of its arguments comes
    from anywhere in any library. But the traceback goes through the builders, which
    hold the part of the config that they build.

    Args:
        error (BaseException): What was raised.

    Returns:
        str: The dotted key of the innermost such part, as far as it is found, and its
        type; ``''`` if the error arose elsewhere.
    """
    root, part, step, split = None, None, '', ''
    for frame in _frames(error):
        code, values = frame.f_code, frame.f_locals
        if root is None and hasattr(values.get('cfg'), '_cfg_dict'):
            root = values['cfg']._cfg_dict
        if code.co_filename.endswith(_REGISTRY) and isinstance(
                values.get('cfg'), dict):
            part = values['cfg']
        elif code.co_name == 'build_runner_from_cfg':
            step = 'runner_type'
        elif code.co_filename.endswith(_RUNNER) and code.co_name == 'call_hook':
            if values['fn_name'] == 'before_run':
                part = dict(type=type(values['hook']).__name__)
        elif code.co_name in _STEPS and (code.co_filename.endswith(_RUNNER)
                                         or code.co_name.startswith('turn_on_')):
            step = _STEPS[code.co_name] or step or 'the config'
            split = split or step.removesuffix('_cfg')
            made = values.get(code.co_name.removeprefix('build_'))
            part = made if isinstance(made, dict) and not _STEPS[code.co_name] else None
    if part is None:
        return step
    kind = part.get('type', '')
    kind = getattr(kind, '__name__', str(kind))
    key = _find(root, part, split) or step
    return f'{key} ({kind})' if key and kind else key or kind or 'a part of the config'


def failed_first_batch(error: BaseException) -> str:
    """Where the first batch of a run fails, if that is what happened.

    Whether the parts of a config fit each other shows when they first meet: a head
    that expects other channels than the backbone has, a transform that another must
    precede. Once an iteration of a stage has gone well, what fails is no matter of the
    config.

    Args:
        error (BaseException): What was raised.

    Returns:
        str: As ``'model.decode_head.conv (Conv2d) fails on the first batch of
        IterBasedTrainLoop'``; ``''`` if it is something else.
    """
    loop: Any = None
    modules: list[Any] = []
    for frame in _frames(error):
        code, values = frame.f_code, frame.f_locals
        if code.co_filename.endswith(_LOOPS) and code.co_name in (
                'run', 'run_epoch', 'run_iter'):
            place = getattr(values['self'], '_iter', values.get('idx', 0))
            # A stage that begins there uses other parts.
            hooks = values['self'].runner.hooks
            is_first = place in (0, *(getattr(hook, 'start', 0) for hook in hooks))
            loop, modules = (values['self'] if is_first else None), []
        elif code.co_filename.endswith(_MODULE) and code.co_name == '_call_impl':
            modules.append(values['self'])
    if loop is None:
        return ''
    batch = f'the first batch of {type(loop).__name__}'
    for module in reversed(modules):
        for name, each in modules[0].named_modules():
            if each is module:
                path = f'model.{name}'.rstrip('.')
                return f'{path} ({type(module).__name__}) fails on {batch}'
    return f'{batch} fails'


def _frames(error: BaseException) -> Iterator[FrameType]:
    """The frames that an error came through, from the outermost."""
    frame = None
    for frame, _ in walk_tb(error.__traceback__):
        yield frame
    if frame is not None and frame.f_code.co_name == 'call_hook' and error.__context__:
        # mmengine raises another error there, which hides where the first one arose.
        yield from _frames(error.__context__)


def _find(root: dict | None, part: dict, split: str) -> str:
    """The key of what is most like a part; ``''`` if nothing has its type.

    Builders work on copies, to which some have added.
    """
    best, key = (0, False), ''
    read = {name: value for name, value in (root or {}).items() if name in TOP_KEYS}
    for path, node in dicts_by_key(read):
        if not path or node.get('type') != part.get('type'):
            continue
        same = 1 + sum(name in part and part[name] == value
                       for name, value in node.items())
        if (same, path.startswith(split)) > best:
            best, key = (same, path.startswith(split)), path
    return key
