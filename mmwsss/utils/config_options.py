# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Which settings ``--cfg-options`` may change or add."""

import ast
import difflib
import functools
import inspect
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

TOP_KEYS = frozenset({
    # What mmengine's Runner takes from a config ...
    'auto_scale_lr', 'custom_hooks', 'data_preprocessor', 'default_hooks',
    'default_scope', 'env_cfg', 'experiment_name', 'launcher', 'load_from',
    'log_level', 'log_processor', 'model', 'optim_wrapper', 'param_scheduler',
    'randomness', 'resume', 'test_cfg', 'test_dataloader', 'test_evaluator',
    'train_cfg', 'train_dataloader', 'val_cfg', 'val_dataloader', 'val_evaluator',
    'visualizer', 'work_dir',
    # ... or looks up in it later ...
    'activation_checkpointing', 'compile', 'efficient_conv_bn_eval',
    'find_unused_parameters', 'model_wrapper_cfg', 'runner_type', 'sync_bn',
    # ... and what our tools read.
    'classes', 'data_root', 'label_rule', 'seed_dataloader', 'test_pipeline',
    'tta_model', 'tta_pipeline', 'walk', 'walk_tta_model', 'words'})

# ``epochs``, ``min_iters`` and ``cap_iters`` are read by our count_epochs.
_LOOP = frozenset({
    'by_epoch', 'cap_iters', 'dynamic_intervals', 'epochs', 'fp16', 'max_epochs',
    'max_iters', 'min_iters', 'type', 'val_begin', 'val_interval'})
_DATALOADER = frozenset({
    'batch_sampler', 'batch_size', 'collate_fn', 'dataset', 'drop_last',
    'generator', 'multiprocessing_context', 'num_batch_per_epoch', 'num_workers',
    'persistent_workers', 'pin_memory', 'pin_memory_device', 'prefetch_factor',
    'sampler', 'timeout', 'worker_init_fn'})
_DEFAULT_HOOKS = frozenset({
    'checkpoint', 'checkpoint_match', 'exact_resume', 'fast_inference', 'logger',
    'nan_loss', 'param_scheduler', 'runtime_info', 'sampler_seed',
    'shared_statistics', 'timer', 'visualization'})
_WITHOUT_TYPE: dict[tuple[str, ...], frozenset[str]] = {
    ('randomness',): frozenset({'deterministic', 'diff_rank_seed', 'seed'}),
    ('env_cfg',): frozenset(
        {'cudnn_benchmark', 'dist_cfg', 'mp_cfg', 'resource_limit'}),
    ('env_cfg', 'mp_cfg'): frozenset(
        {'mp_start_method', 'opencv_num_threads'}),
    **{(f'{split}_cfg',): _LOOP for split in ('train', 'val', 'test')},
    **{(f'{split}_dataloader',): _DATALOADER
       for split in ('train', 'val', 'test', 'seed')},
}
_BY_ARGUMENT = dict(launcher='--launcher', resume='--resume')
# What builders take out of a dict before they call its type.
_BUILDER_KEYS = frozenset({
    '_delete_', '_scope_', 'constructor', 'convert_to_iter_based', 'optimizer',
    'override', 'paramwise_cfg', 'priority', 'requires_grad', 'type'})


def check_options(cfg: dict, options: dict, source: str = 'the config') -> None:
    """Refuse settings that nothing would read.

    A dotted key may be changed where it is in the config. It may be added where
    something reads it:

    - at the top, if mmengine's Runner or our tools do (``TOP_KEYS``);
    - in a dict with a ``type``, if the type takes it as an argument, or hands
      any argument on to something other than its base class;
    - in a dict without ``type`` whose keys are known (data loaders, loops,
      ``randomness``, ``env_cfg``), if it is one of them;
    - in ``default_hooks``, as a hook with a ``type``, or for a hook that is there
      by default;
    - in any other dict (``test_cfg`` of a model, ``data_prefix``), if it is not
      almost a key that is there.

    Below an added key anything goes, unless a ``type`` is given there, too. Items
    of lists are named by their number, from 0. A number stays no word, yes or no none
    but that, and a dict no number.

    Args:
        cfg (dict): The config.
        options (dict): Settings by dotted key.
        source (str): What errors call the config. Defaults to 'the config'.

    Raises:
        ValueError: Naming the option and the nearest key.
    """
    # What a type takes is said by the type that is asked for beside it: types first.
    for option in sorted(options, key=lambda option: option.split('.')[-1] != 'type'):
        if option in _BY_ARGUMENT:
            # The tool sets it.
            raise ValueError(f'option {option}: give {_BY_ARGUMENT[option]} instead')
        keys, value = option.split('.'), options[option]
        try:
            _check(cfg, (), keys, value)
        except ValueError as error:
            raise ValueError(f'option {option}: {error} ({source})') from error
        if keys[-1] == 'type':
            cfg = _with_type(cfg, keys, value)


def _with_type(node: Any, keys: Sequence[str], value: Any) -> Any:
    """A copy of a config, as far as it changes, with a type in it."""
    key, rest = keys[0], keys[1:]
    if isinstance(node, list):
        result: Any = list(node)
        result[int(key)] = _with_type(node[int(key)], rest, value) if rest else value
        return result
    below = _with_type(node.get(key, {}), rest, value) if rest else value
    return {**node, key: below}


def unread_options(cfg: dict, options: dict) -> list[str]:
    """The options that change only a variable of the config.

    A config's own variables are copied to where they are used while it is
    loaded, so that a change comes too late, unless a program looks them up.
    """
    tops = dict.fromkeys(option.split('.')[0] for option in options)
    return [top for top in tops if top in cfg and top not in TOP_KEYS]


def _check(node: Any, path: tuple[str, ...], keys: Sequence[str],
           value: Any) -> None:
    key, rest = keys[0], keys[1:]
    here = '.'.join(path) or 'the top'
    if isinstance(node, list):
        if not key.isdecimal() or int(key) >= len(node):
            raise ValueError(f'{here} is a list of {len(node)} items, from 0; it '
                             f'has no {key!r}')
        below = node[int(key)]
    elif not isinstance(node, dict):
        raise ValueError(f'{here} is {node!r}, which has no {key!r}')
    elif key in node:
        below = node[key]
    else:
        _check_new(node, path, key, rest, value)
        below = {}
    if rest:
        _check(below, (*path, key), rest, value)
        return
    _check_kind(below, value)
    if isinstance(value, dict) and isinstance(below, dict) and \
            not value.get('_delete_') and 'type' not in value:
        for name, item in value.items():
            _check(below, (*path, key), [name], item)


def _check_kind(before: Any, value: Any) -> None:
    """Refuse what a number, a yes or no, or a dict cannot become."""
    if isinstance(before, bool):
        # None leaves it out; a dict says yes, and how.
        if not isinstance(value, (bool, dict, type(None))):
            raise ValueError(f'it is {before}, expected True or False, got {value!r}')
    elif isinstance(before, (int, float)) and (
            isinstance(value, (str, dict, bool)) or value in ([], ())):
        raise ValueError(f'it is the number {before}, got {value!r}')
    elif isinstance(before, dict) and before and isinstance(
            value, (str, int, float) if 'type' in before else (int, float)):
        raise ValueError(f'it is a dict, got {value!r}')


def _check_new(node: dict, path: tuple[str, ...], key: str,
               rest: Sequence[str], value: Any) -> None:
    """Refuse a key that is not there and that nothing reads."""
    here = '.'.join(path) or 'the top'
    if path == ('default_hooks',):
        is_hook = list(rest) == ['type'] or not rest and (
            isinstance(value, dict) and 'type' in value)
        if not is_hook and not (
                key in _DEFAULT_HOOKS and (rest or value is None)):
            raise ValueError(
                f'default_hooks has no {key!r}{_nearest(key, _DEFAULT_HOOKS)}; a '
                'new hook has a type')
        return
    known = _known_keys(node, path)
    if known is None:
        similar = difflib.get_close_matches(key, node, 1, 0.8)
        if similar:
            raise ValueError(f'{here} has no {key!r}{_nearest(key, node)}')
    elif key not in known:
        what = f' of type {node["type"]}' if 'type' in node else ''
        raise ValueError(f'{here}{what} has no {key!r}, and nothing would read it'
                         f'{_nearest(key, {*known, *node})}')


def _known_keys(node: dict, path: tuple[str, ...]) -> frozenset[str] | None:
    """The keys that are read in a dict; None, if that cannot be told."""
    if not path:
        return TOP_KEYS
    if path in _WITHOUT_TYPE and 'type' not in node:
        return _WITHOUT_TYPE[path]
    kind = node.get('type')
    if kind is None and path == ('optim_wrapper',):
        kind = 'OptimWrapper'
    arguments = None if kind is None else type_arguments(kind)
    if arguments is None:
        return None
    return arguments | _BUILDER_KEYS | _WITHOUT_TYPE.get(path, frozenset())


@functools.cache
def type_arguments(kind: Any) -> frozenset[str] | None:
    """The arguments of what a config calls ``type``.

    Args:
        kind (str | Callable): A registered name, or the class or function.

    Returns:
        frozenset[str] | None: Their names, those of base classes too where the
        type hands ``**kwargs`` on to them; None, if it takes any, or is unknown.
    """
    found = _registered(kind) if isinstance(kind, str) else [kind]
    if not found:
        return None
    names: set[str] = set()
    for target in found:
        chain = [target]
        if inspect.isclass(target):
            chain = [vars(base)['__init__'] for base in target.__mro__[:-1]
                     if '__init__' in vars(base)]
        for function in chain:
            try:
                parameters = inspect.signature(function).parameters.values()
            except (TypeError, ValueError):  # of C
                break
            names.update(item.name for item in parameters
                         if item.kind not in (item.VAR_KEYWORD, item.VAR_POSITIONAL))
            rest = [item.name for item in parameters if item.kind == item.VAR_KEYWORD]
            names.update(getattr(function, 'old_names', ()))
            if not rest:
                break
            if not _only_for_base(function, rest[0]):
                return None
    return frozenset(names - {'self'})


def _registered(name: str) -> list:
    from mmengine.registry import Registry, init_default_scope
    from mmseg import registry
    init_default_scope('mmseg')
    registries = (value for value in vars(registry).values()
                  if isinstance(value, Registry))
    found = (item.get(name) for item in registries)
    return [item for item in found if item is not None]


def _only_for_base(function: Any, kwargs: str) -> bool:
    """Whether a method uses its ``**kwargs`` for ``super().__init__(**kwargs)``
    alone, perhaps after ``kwargs.setdefault``."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return False

    def is_it(node: ast.AST) -> bool:
        return isinstance(node, ast.Name) and node.id == kwargs

    uses = sum(map(is_it, ast.walk(tree)))
    calls = [(node.func, node.keywords) for node in ast.walk(tree)
             if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    handed_on = sum(keyword.arg is None and is_it(keyword.value)
                    for method, keywords in calls if method.attr == '__init__'
                    for keyword in keywords)
    defaults = sum(is_it(method.value) for method, _ in calls
                   if method.attr == 'setdefault')
    return handed_on > 0 and uses == handed_on + defaults


def _nearest(key: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(key, sorted(map(str, known)), 1, 0.)
    return f'; the nearest is {close[0]!r}' if close else ''
