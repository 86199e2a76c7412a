# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Recipes: what their configs say."""

import os.path as osp
import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from mmwsss.utils import all_strings, load_config, map_strings, project_path
from mmwsss.utils.config import path_from_here
from mmwsss.utils.renamed import RECIPES, rename_in_recipe

from .step_types import FITS, STEP_TYPES, StepType

if TYPE_CHECKING:
    from mmengine.config import Config

REFERENCE = re.compile(r'\{([A-Za-z_]\w*)(?::([^{}]+))?\}')
"""``{name}`` or ``{name:metric}`` inside a string of a recipe."""

OWN_FOLDERS = ('configs', 'ledger', 'logs')
"""What a work folder holds beside the outputs of steps."""

_TOP_KEYS: dict[str, Any] = dict(
    steps=list, title=str, work_dir=str, protocol=dict, data_root=str,
    classes=(str, list, tuple), cfg_options=dict)


@dataclass
class Step:
    """One step of a recipe.

    Args:
        name (str): Unique in the recipe; the name of its output folder.
        type (str): One of ``STEP_TYPES``.
        spec (dict): Everything else that the recipe says about it, with
            references still in braces.
    """

    name: str
    type: str
    spec: dict[str, Any]

    @property
    def kind(self) -> StepType:
        return STEP_TYPES[self.type]


class Recipe:
    """An ordered list of steps from data to results.

    A recipe is a config with ``steps``, a list of dicts. Strings in a step may
    refer to

    - ``{step}``: the output folder of that (or of the same) step,
    - ``{step:metric}``: a number measured by an earlier step,
    - ``{variable}``: a string or number at the top of the recipe,
    - ``{tools}``: the folder of mmwsss's tools.

    Options of all steps whose config is ``'{localizer}'`` are in
    ``cfg_options['localizer']`` at the top; a step's own come first. A step, or a
    dict in a list below one, that has ``when`` is left out where the
    variable that it names is empty (or one of them, in a list), and one that has
    ``unless`` where it is not: ``when='{test_list}'``.

    Args:
        path (str): The recipe's file.
        work_dir (str, optional): Where everything is written. Defaults to the
            recipe's ``work_dir``, else ``work_dirs/<file name>``.
        cfg_options (dict, optional): Changes to the recipe, as by
            ``--cfg-options``. Steps are addressed by name or by index:
            ``steps.train_localizer.cfg_options.train_cfg.max_iters``. Configs that
            they name are relative to the current folder, those of the recipe
            itself to the recipe's.

    Raises:
        FileNotFoundError: If the recipe or a config it names does not exist.
        ValueError: Naming recipe, step and key, if something in it is wrong.
    """

    def __init__(self,
                 path: str,
                 work_dir: str | None = None,
                 cfg_options: dict | None = None) -> None:
        if not osp.isfile(path):
            raise FileNotFoundError(f'no recipe {path}')
        cfg = load_config(path, import_custom_modules=False)
        rename_in_recipe(cfg)
        _check_steps(cfg)
        for key, value in (cfg_options or {}).items():
            _change(cfg, key, value)
            rename_in_recipe(cfg)
            _check_steps(cfg)
        for key, kind in _TOP_KEYS.items():
            if key in cfg and not isinstance(cfg[key], kind):
                raise ValueError(f'{path}: {key} cannot be {cfg[key]!r}')

        self.path = path
        self.name = osp.splitext(osp.basename(path))[0]
        self.work_dir = osp.abspath(
            work_dir or cfg.get('work_dir') or osp.join('work_dirs', self.name))
        self.title = cfg.get('title', self.name)
        self.protocol = dict(cfg.get('protocol', {}))
        self.variables = {
            key: value
            for key, value in cfg.items() if isinstance(value, (str, int, float))
        }
        self.shared = {key: cfg[key] for key in ('data_root', 'classes') if key in cfg}
        self.cfg_options = map_strings(dict(cfg.get('cfg_options', {})), str)
        self.steps: list[Step] = []
        for index, spec in enumerate(self._wanted(map_strings(cfg.steps, str))):
            self.steps.append(self._read_step(index, spec))

    def __getitem__(self, name: str) -> Step:
        for step in self.steps:
            if step.name == name:
                return step
        raise ValueError(f'{self.path} has no step {name!r}; it has '
                         f'{", ".join(step.name for step in self.steps)}')

    def folder(self, name: str) -> str:
        """The output folder of a step."""
        return osp.join(self.work_dir, name)

    def config_path(self, step: Step) -> str | None:
        """The config of a step; relative paths begin at the recipe's folder."""
        config = step.spec.get('config')
        if config is None:
            return None
        config = REFERENCE.sub(
            lambda match: str(self.variables.get(match[1], match[0])), config)
        return osp.abspath(osp.join(osp.dirname(osp.abspath(self.path)), config))

    def shared_options(self, step: Step) -> dict[str, Any]:
        """The options of all steps with the config of a step."""
        named = REFERENCE.fullmatch(step.spec.get('config') or '')
        return self.cfg_options.get(named[1], {}) if named else {}

    def values(self, records: dict[str, dict[str, Any]]) -> dict[str, Any]:
        """What the references stand for, as :func:`substitute` takes it.

        Args:
            records (dict): By the name of a step, its ledger's record, of which
                ``metrics`` count.
        """
        return {
            **self.variables, 'tools': project_path('tools'),
            **{step.name: self.folder(step.name) for step in self.steps},
            **{f'{name}:{metric}': value
               for name, record in records.items()
               for metric, value in record.get('metrics', {}).items()}
        }

    def references(self, step: Step) -> list[str]:
        """Strings of ``step`` that name outputs of earlier steps, each once.

        Metrics are no files and are left out.
        """
        others = {other.name for other in self.steps} - {step.name}
        return [text for text in dict.fromkeys(all_strings(step.spec))
                if any(name in others and not metric
                       for name, metric in REFERENCE.findall(text))]

    def earlier(self, step: Step) -> list[Step]:
        """The steps before a step; all, for one that is not of the recipe."""
        return list(takewhile(lambda other: other is not step, self.steps))

    def depends_on(self, step: Step) -> list[str]:
        """The names of the earlier steps that a step reads from."""
        earlier = [other.name for other in self.earlier(step)]
        if step.type == 'report':
            return earlier
        named = {name for text in all_strings(step.spec)
                 for name, _ in REFERENCE.findall(text)}
        return [name for name in earlier if name in named]

    def _wanted(self, node: Any) -> Any:
        """Without what ``when`` and ``unless`` leave out, and without these."""
        if isinstance(node, dict):
            return {key: self._wanted(value) for key, value in node.items()
                    if key not in ('when', 'unless')}
        if not isinstance(node, (list, tuple)):
            return node
        return [self._wanted(item) for item in node
                if not isinstance(item, dict) or self._is_wanted(item)]

    def _is_wanted(self, item: dict) -> bool:
        needed = item.get('when', True)
        return all(substitute(one, self.variables) for one in (
            needed if isinstance(needed, (list, tuple)) else [needed])
        ) and not substitute(item.get('unless', False), self.variables)

    def _read_step(self, index: int, spec: Any) -> Step:
        where = f'{self.path}, step {index}'
        if not isinstance(spec, dict):
            raise ValueError(f'{where}: must be a dict, got {spec!r}')
        step_type = spec.pop('type', None)
        name = spec.pop('name', step_type)
        where = f'{where} ({name})'
        if not isinstance(step_type, str) or step_type not in STEP_TYPES:
            raise ValueError(f'{where}: type must be one of {", ".join(STEP_TYPES)}, '
                             f'got {step_type!r}{_nearest(step_type, STEP_TYPES)}')
        known = {'tools', *self.variables, *(step.name for step in self.steps)}
        if not isinstance(name, str) or not re.fullmatch(
                r'[A-Za-z_]\w*', name) or name in {*known, *OWN_FOLDERS}:
            raise ValueError(
                f'{where}: the name must be an identifier that no other step or '
                f'variable has, and none of {", ".join(OWN_FOLDERS)}')
        _check_keys(spec, STEP_TYPES[step_type], where)
        self._check_references(spec, name, known, where)
        step = Step(name, step_type, spec)
        config = self.config_path(step)
        if config is not None and not osp.isfile(config):
            raise FileNotFoundError(f'{where}: no config {config}')
        return step

    def _check_references(self, spec: dict, name: str, known: set[str],
                          where: str) -> None:
        measured = {step.name for step in self.steps}
        for key, value in spec.items():
            for text in all_strings(value):
                for target, metric in REFERENCE.findall(text):
                    allowed = measured if metric else {*known, name}
                    if target not in allowed:
                        raise ValueError(
                            f'{where}: {key} has {text!r}, which refers to '
                            f'{target!r}; that is no earlier step'
                            f'{"" if metric else " or variable"}'
                            f'{_nearest(target, allowed)}')


def substitute(value: Any, values: dict[str, Any]) -> Any:
    """Replace the references in all strings of ``value``.

    Args:
        value (Any): String, or lists and dicts of such.
        values (dict): What ``name`` or ``name:metric`` stands for.

    Returns:
        Any: A copy. A string that is one reference and nothing else becomes
        the value itself, which may be a number.

    Raises:
        ValueError: If there is no such name, or its step measured no such metric.
    """

    def look_up(match: re.Match) -> Any:
        key = match[0][1:-1]
        if key not in values:
            if match[2] is None:
                raise ValueError(f'{match[0]} is no step or variable')
            prefix = f'{match[1]}:'
            measured = [other.removeprefix(prefix) for other in values
                        if other.startswith(prefix)]
            raise ValueError(
                f'{match[0]}: step {match[1]} measured no {match[2]!r}; it has '
                f'{", ".join(measured) or "measured nothing yet"}')
        return values[key]

    def replace(text: str) -> Any:
        whole = REFERENCE.fullmatch(text)
        if whole:
            return look_up(whole)
        return REFERENCE.sub(lambda match: str(look_up(match)), text)

    return map_strings(value, replace)


def _check_steps(cfg: 'Config') -> None:
    if not isinstance(cfg.get('steps'), list) or not cfg.steps:
        raise ValueError(f'{cfg.filename} has no list "steps": it is not a recipe')


def _change(cfg: 'Config', key: str, value: Any) -> None:
    """Put one of ``--cfg-options`` into a recipe, in place."""
    parts = key.split('.')
    if RECIPES.get(parts[0]) in cfg:
        parts[0] = RECIPES[parts[0]]
    if parts[0] not in cfg and parts[0] not in _TOP_KEYS:
        raise ValueError(f'option {key}: the recipe {cfg.filename} has no '
                         f'{parts[0]!r}{_nearest(parts[0], [*cfg, *_TOP_KEYS])}')
    if parts[0] == 'steps' and len(parts) > 1:
        names = {str(step.get('name', step.get('type'))): str(index)
                 for index, step in enumerate(cfg.steps) if isinstance(step, dict)}
        parts[1] = names.get(parts[1], parts[1])
        if parts[1] not in map(str, range(len(cfg.steps))):
            raise ValueError(f'option {key}: no step {parts[1]!r}; there are '
                             f'{", ".join(names)}{_nearest(parts[1], names)}')
    value = path_from_here(key, value)
    # A config that lies in the current folder, by its whole path.
    if isinstance(value, str) and value.endswith('.py') and osp.isfile(value):
        value = osp.abspath(value)
    try:
        cfg.merge_from_dict({'.'.join(parts): value})
    except (AttributeError, KeyError, IndexError, TypeError) as error:
        raise ValueError(f'option {key}: the recipe {cfg.filename} has no place '
                         f'for {value!r} there') from error


def _check_keys(spec: dict[str, Any], kind: StepType, where: str) -> None:
    for key, value in spec.items():
        if key not in kind.keys:
            raise ValueError(f'{where}: unknown key {key!r}{_nearest(key, kind.keys)}; '
                             f'it may have {", ".join(kind.keys)}')
        is_left_out = value is None and key not in kind.required
        if not is_left_out and not FITS[kind.keys[key]](value):
            raise ValueError(f'{where}: {key} must be {kind.keys[key]}, got {value!r}')
    if missing := [key for key in kind.required if key not in spec]:
        raise ValueError(f'{where}: needs {missing}')


def _nearest(word: Any, known: Iterable[str]) -> str:
    found = get_close_matches(str(word), known, 1)
    return f' (perhaps {found[0]!r} is meant)' if found else ''
