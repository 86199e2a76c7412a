# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Recipes: what a pipeline's config says."""

import os.path as osp
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mmwsss.utils import load_config

from .step_types import STEP_TYPES

if TYPE_CHECKING:
    from mmengine.config import Config

REFERENCE = re.compile(r'\{([A-Za-z_]\w*)(?::([^{}]+))?\}')
"""``{name}`` or ``{name:metric}`` inside a string of a recipe."""

_COMMON_KEYS = ('show', 'args', 'inputs', 'outputs', 'resume')
_CONFIG_KEYS = ('config', 'cfg_options', 'data_root', 'gpus')


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
    def kind(self):
        return STEP_TYPES[self.type]


class Recipe:
    """An ordered list of steps from data to results.

    A recipe is a config with ``steps``, a list of dicts. Strings in a step may
    refer to

    - ``{step}``: the output folder of that (or of the same) step,
    - ``{step:metric}``: a number measured by an earlier step,
    - ``{variable}``: a string or number at the top of the recipe,
    - ``{tools}``: the folder of mmwsss's tools.

    Args:
        path (str): The recipe's file.
        work_dir (str, optional): Where everything is written. Defaults to the
            recipe's ``work_dir``, else ``work_dirs/<file name>``.
        cfg_options (dict, optional): Changes to the recipe, as by
            ``--cfg-options``. Steps are addressed by name or by index:
            ``steps.train_esol.cfg_options.train_cfg.max_iters``. Configs that
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
        if not isinstance(cfg.get('steps'), list) or not cfg.steps:
            raise ValueError(f'{path} has no list "steps": it is not a recipe')
        options = {key: _from_here(value)
                   for key, value in (cfg_options or {}).items()}
        cfg.merge_from_dict(self._by_index(cfg, options))

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
        self.shared = {key: to_plain(cfg[key])
                       for key in ('data_root', 'classes') if key in cfg}
        self.steps = self._read_steps([to_plain(step) for step in cfg.steps])

    def __getitem__(self, name: str) -> Step:
        for step in self.steps:
            if step.name == name:
                return step
        raise KeyError(
            f'{self.path} has no step {name!r}; it has '
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

    def references(self, step: Step) -> list[str]:
        """Strings of ``step`` that name outputs of earlier steps, each once.

        Metrics are no files and are left out.
        """
        found = []
        for text in iter_strings(step.spec):
            names = [name for name, metric in REFERENCE.findall(text) if not metric]
            is_output = any(
                name != step.name and self._is_step(name) for name in names)
            if is_output and text not in found:
                found.append(text)
        return found

    def substitute(self, value: Any, lookup: Callable[[str, str], Any]) -> Any:
        """Replace the references in all strings of ``value``.

        Args:
            value (Any): String, or lists and dicts of such.
            lookup (Callable): Called with name and metric (or ''), returns the
                replacement.

        Returns:
            Any: A copy. A string that is one reference and nothing else becomes
            the replacement itself, which may be a number.
        """
        if isinstance(value, dict):
            return {k: self.substitute(v, lookup) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(self.substitute(v, lookup) for v in value)
        if not isinstance(value, str):
            return value
        whole = REFERENCE.fullmatch(value)
        if whole:
            return lookup(*whole.groups(default=''))
        return REFERENCE.sub(
            lambda match: str(lookup(*match.groups(default=''))), value)

    def _is_step(self, name: str) -> bool:
        return any(step.name == name for step in self.steps)

    @staticmethod
    def _by_index(cfg: 'Config', options: dict) -> dict:
        names = {step.get('name', step.get('type')): i
                 for i, step in enumerate(cfg.steps)}
        renamed = {}
        for key, value in options.items():
            parts = key.split('.')
            if parts[0] == 'steps' and len(parts) > 1 and not parts[1].isdigit():
                if parts[1] not in names:
                    raise ValueError(
                        f'option {key}: no step {parts[1]!r}; there are '
                        f'{", ".join(map(str, names))}')
                parts[1] = str(names[parts[1]])
            renamed['.'.join(parts)] = value
        return renamed

    def _read_steps(self, specs: list[dict]) -> list[Step]:
        steps: list[Step] = []
        known = {'tools', *self.variables}
        for index, spec in enumerate(specs):
            step_type = spec.pop('type', None)
            name = spec.pop('name', step_type)
            where = f'{self.path}, step {index} ({name})'
            if step_type not in STEP_TYPES:
                raise ValueError(f'{where}: type must be one of '
                                 f'{", ".join(STEP_TYPES)}, got {step_type!r}')
            if not re.fullmatch(r'[A-Za-z_]\w*', name) or name in known:
                raise ValueError(f'{where}: the name must be an identifier that no '
                                 'other step or variable has')
            kind = STEP_TYPES[step_type]
            allowed = {*_COMMON_KEYS, *kind.required, *kind.optional}
            if 'config' in kind.required:
                allowed.update(_CONFIG_KEYS)
            if unknown := set(spec) - allowed:
                raise ValueError(f'{where}: unknown keys {sorted(unknown)}; allowed '
                                 f'are {sorted(allowed)}')
            if missing := set(kind.required) - set(spec):
                raise ValueError(f'{where}: needs {sorted(missing)}')
            known.add(name)
            measured = {step.name for step in steps}
            for text in iter_strings(spec):
                for target, metric in REFERENCE.findall(text):
                    if target not in known or (metric and target not in measured):
                        raise ValueError(
                            f'{where}: {text!r} refers to {target!r}, which is no '
                            f'earlier step or variable ({", ".join(sorted(known))})')
            step = Step(name, step_type, spec)
            config = self.config_path(step)
            if config is not None and not osp.isfile(config):
                raise FileNotFoundError(f'{where}: no config {config}')
            steps.append(step)
        return steps


def to_plain(value: Any) -> Any:
    """Configs as plain dicts, lists and tuples."""
    if isinstance(value, dict):  # as mmengine's ConfigDict is
        return {key: to_plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(to_plain(item) for item in value)
    return value


def iter_strings(value: Any) -> Iterator[str]:
    """All strings in nested dicts and lists, in order, keys left out."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from iter_strings(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from iter_strings(item)


def _from_here(value: Any) -> Any:
    """A config that lies in the current folder, by its whole path."""
    is_config = isinstance(value, str) and value.endswith('.py')
    return osp.abspath(value) if is_config and osp.isfile(value) else value
