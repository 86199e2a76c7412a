# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Configs as the command line changes them."""

import os
import os.path as osp
import warnings
from traceback import walk_tb
from typing import TYPE_CHECKING, Any

from .config_options import check_options, unread_options
from .config_values import check_values
from .lists import read_class_names, with_background
from .nested import innermost_dataset, iter_dicts
from .renamed import rename_parts

if TYPE_CHECKING:
    from mmengine.config import Config


def read_config(path: str, options: dict | None = None) -> 'Config':
    """Read a config and apply ``--cfg-options``, see :func:`change_config`.

    A relative path of a list, a table or a folder of a dataset is one of the current
    folder where that exists, else one below ``data_root``.
    """
    cfg = load_config(path)
    change_config(cfg, {
        key: path_from_here(key, value) for key, value in (options or {}).items()})
    return cfg


def load_config(path: str, import_custom_modules: bool = True) -> 'Config':
    """Load a config, which is a Python program.

    mmengine loads YAML by a loader that runs what a file asks for; nobody
    expects that of data.

    Args:
        path (str): A ``.py`` file.
        import_custom_modules (bool): Whether to import ``custom_imports``.
            Defaults to True.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: Naming the file, and its line where there is one, if it is of
            another kind or fails.
    """
    path = os.fspath(path)
    if not path.endswith('.py'):
        raise ValueError(f'{path}: configs and recipes are Python files (.py)')
    if not osp.isfile(path):
        raise FileNotFoundError(f'there is no config {path}')
    from mmengine.config import Config
    try:
        cfg = Config.fromfile(path, import_custom_modules=import_custom_modules)
    # A config is a program: it may fail in any way.
    except Exception as error:
        raise ValueError(_why_no_config(path, error)) from error
    rename_parts(cfg._cfg_dict)
    return cfg


def _why_no_config(path: str, error: Exception) -> str:
    """Say why a config fails, and in which of its lines, in one line."""
    if isinstance(error, FileNotFoundError):
        folder = osp.dirname(osp.abspath(path))
        reason = f'{error}; `_base_` is relative to {folder}'
    elif isinstance(error, ImportError):
        reason = (f'{error.__cause__ or error}; `custom_imports` are looked for in '
                  'the folder of the tool and in PYTHONPATH')
    elif isinstance(error, SyntaxError):
        # mmengine's own says less than what it comes from.
        cause = error.__context__
        known = cause if isinstance(cause, SyntaxError) else error
        where = f'line {known.lineno}, ' if known.lineno else ''
        reason = f'{where}SyntaxError: {known.msg}'
    else:
        reason = f'{type(error).__name__}: {error}'
        lines = [line for frame, line in walk_tb(error.__traceback__)
                 if frame.f_code.co_name == '<module>']
        if lines:
            reason = f'line {lines[-1]}, {reason}'
    return ' '.join(f'cannot read the config {path}: {reason}'.split())


def change_config(cfg: 'Config', options: dict | None = None) -> None:
    """Apply ``--cfg-options`` to a config, in place.

    Two variables at the top of a config have been copied to where they are
    needed by the time it is read. They are changed there, too:

    - ``data_root`` is that of all datasets; a dataset's own option comes first.
    - ``classes`` are those of all datasets that share the training images'
      classes, and their number is the model's ``num_classes``. They are a list
      of names, or a text file of names, one a line, in the ``data_root`` of the
      training images. Such a file is read even without any option.

    Args:
        cfg (Config): The config.
        options (dict, optional): Settings by dotted key.

    Raises:
        FileNotFoundError: If there is no such file of classes.
        ValueError: If ``classes`` are given and no dataset takes them, or if
            nothing would read a setting, see :func:`check_options`, or a value cannot
            be, see :func:`check_values`.
    """
    options = options or {}
    source = cfg.filename or 'the config'
    check_options(cfg._cfg_dict, options, source)
    for name in unread_options(cfg._cfg_dict, options):
        warnings.warn(
            f'option {name}: a variable of {source}, which was copied to where it '
            'is used; change it there', stacklevel=2)
    if 'data_root' in options:
        set_data_root(cfg._cfg_dict, options['data_root'])
    for key, value in _iterations_as_bounds(cfg._cfg_dict, options).items():
        try:
            cfg.merge_from_dict({key: value})
        except (AttributeError, KeyError, TypeError) as error:
            remedy = ('add _delete_=True to put it in place of what is there'
                      if isinstance(value, dict) else 'give the whole list or dict')
            raise ValueError(f'option {key}: {source} has no place for {value!r} '
                             f'there; {remedy}') from error
    rename_parts(cfg._cfg_dict)
    check_values(cfg._cfg_dict, source)
    dataset = innermost_dataset(cfg.get('train_dataloader'))
    held = dataset.get('classes')
    if 'classes' in options and held is None:
        raise ValueError(f'classes={options["classes"]}: the training images of '
                         f'{cfg.filename} have fixed classes')
    if 'classes' in options or isinstance(held, str):
        classes = cfg.get('classes', held)
        if isinstance(classes, str):
            root = dataset.get('data_root') or ''
            classes = read_class_names(osp.join(root, classes))
        _set_classes(cfg, held, with_background(classes))


def _iterations_as_bounds(cfg: dict, options: dict) -> dict:
    """Options, with ``max_iters`` or ``iters`` as the least and the most iterations of
    what counts in epochs, which would replace them. Epochs that are given, too, do."""
    result = {}
    for option, value in options.items():
        *path, key = option.split('.')
        node: Any = cfg
        for part in path:
            node = node[int(part)] if isinstance(node, list) else node.get(part, {})
        if key in ('max_iters', 'iters') and 'epochs' in node:
            if '.'.join([*path, 'epochs']) not in options:
                for bound in ('min_iters', 'cap_iters'):
                    result['.'.join([*path, bound])] = value
        else:
            result[option] = value
    return result


def path_from_here(key: str, value: Any) -> Any:
    """A path on the command line, if it exists seen from the current folder.

    Left as it is, it would be looked for below ``data_root``.

    Args:
        key (str): The dotted key of the setting.
        value (Any): Its value.

    Returns:
        Any: The absolute path; the value itself, if the setting is no path of a
        dataset or there is no such file or folder here.
    """
    *above, name = key.split('.')
    is_path = name in ('ann_file', 'label_file', 'classes') or name.endswith(
        '_list') or bool(above) and above[-1] == 'data_prefix'
    if is_path and isinstance(value, str) and value and osp.exists(value):
        return osp.abspath(value)
    return value


def check_keys(cfg: 'Config', *names: str) -> None:
    """Refuse a config that lacks what a tool needs.

    Raises:
        ValueError: Naming the config and the keys.
    """
    missing = [name for name in names if cfg.get(name) is None]
    if missing:
        recipe = '; it is a recipe: run it by tools/pipeline.py' \
            if 'steps' in cfg else ''
        raise ValueError(f'{cfg.filename} has no {", ".join(missing)}{recipe}')


def set_data_root(node: Any, data_root: str) -> None:
    """Set every ``data_root`` in a nested config, in place."""
    for part in iter_dicts(node):
        if isinstance(part.get('data_root'), str):
            part['data_root'] = data_root


def _set_classes(cfg: 'Config', held: Any, classes: list[str]) -> None:
    """Set the classes of datasets that hold ``held``, and the model's number."""
    _replace(cfg._cfg_dict, 'classes', held, classes)
    cfg.classes = classes
    heads = cfg.get('model', {}).get('decode_head') or []
    heads = heads if isinstance(heads, list) else [heads]
    for number in {head['num_classes'] for head in heads if 'num_classes' in head}:
        _replace(cfg.model, 'num_classes', number, len(classes))


def _replace(node: Any, key: str, old: Any, new: Any) -> None:
    """Replace a value wherever a nested config holds it at this key."""
    for part in iter_dicts(node):
        if key in part and part[key] == old:
            part[key] = new
