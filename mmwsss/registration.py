# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""How mmseg's registries learn where our parts are, at no cost.

A registry of mmengine has locations: modules that it imports when it is first
asked for a part. Ours join mmseg's. ``import mmwsss`` itself loads neither mmseg
nor torch, so that a tool's ``--help`` takes no seconds: what it acts upon may be
imported later, by anyone. What it imports itself, before Ctrl-C is answered, is
little of Python's own library, too (``tests/test_ctrl_c.py``).
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .import_hooks import around_import

if TYPE_CHECKING:
    from mmengine.registry import Registry

LOCATIONS = dict(
    DATASETS='mmwsss.datasets',
    TRANSFORMS='mmwsss.datasets.transforms',
    DATA_SAMPLERS='mmwsss.engine.runner',
    HOOKS='mmwsss.engine.hooks',
    MODELS='mmwsss.models',
    METRICS='mmwsss.evaluation',
    OPTIM_WRAPPER_CONSTRUCTORS='mmwsss.engine.optimizers',
    PARAM_SCHEDULERS='mmwsss.engine.optimizers')
"""Registry of ``mmseg.registry`` -> the module whose import fills it."""


def register_all_modules() -> None:
    """Import all our parts at once.

    Only who reads a registry's ``module_dict`` itself needs this; whoever builds
    from a registry, or asks it for a name, finds them anyway.
    """
    for location in LOCATIONS.values():
        import_module(location)


def announce_parts() -> None:
    """Tell mmseg's registries of our parts, now or when they are imported."""
    _once_imported('mmseg.registry', add_locations)
    _once_imported('mmengine.config.utils', find_stock_configs)
    _once_imported('mmseg.apis.mmseg_inferencer', load_as_the_config_says)


def add_locations(registries: ModuleType) -> None:
    """Add our modules to the locations of mmseg's registries, and old names."""
    from .utils.renamed import PARTS
    for name, location in LOCATIONS.items():
        registry = getattr(registries, name)
        if location not in registry._locations:
            # A new list: registries made without one share mmengine's default.
            registry._locations = [*registry._locations, location]
            registry._imported = False
            for old, new in PARTS.get(name, {}).items():
                registry.register_module(
                    name=old, module=_builder(registry, old, new))


def _builder(registry: 'Registry', old: str, new: str) -> Callable:
    """What a registry holds by an old name: it builds the part and says so."""

    from .utils.renamed import DEFAULTS, warn_renamed

    def build(*args, **kwargs):
        warn_renamed(old, new)
        return registry.get(new)(*args, **{**DEFAULTS.get(old, {}), **kwargs})

    return build


def find_stock_configs(config_utils: ModuleType) -> None:
    """Let ``_base_ = 'mmseg::...'`` find mmseg's configs in either package.

    mmengine looks for a distribution named mmsegmentation; its maintained
    continuation has another name, but the same module.
    """
    from importlib.metadata import PackageNotFoundError, version
    packages = config_utils.MODULE2PACKAGE
    try:
        version(packages['mmseg'])
    except PackageNotFoundError:
        packages['mmseg'] = 'mmseg'


def load_as_the_config_says(inferencer: ModuleType) -> None:
    """Let ``MMSegInferencer`` run configs whose images our loader reads.

    It looks for a transform of the name ``LoadImageFromFile``, puts one for paths
    and arrays in its place, and knows the pipeline of a test loader only. Ours,
    which refuses what OpenCV would half read, takes both by itself; and networks
    that are tested by the labels they lead to have no test loader.
    """
    kind = inferencer.MMSegInferencer
    stock = kind._init_pipeline

    def init_pipeline(self: Any, cfg: Any) -> Any:
        loader = cfg.get('test_dataloader')
        pipeline = loader.dataset.pipeline if loader else cfg.get('test_pipeline')
        if any(transform['type'] == 'LoadPILImage' for transform in pipeline or ()):
            return inferencer.Compose(
                [transform for transform in pipeline
                 if transform['type'] != 'LoadMask'])
        return stock(self, cfg)

    kind._init_pipeline = init_pipeline


def _once_imported(name: str, action: Callable[[ModuleType], None]) -> None:

    @contextmanager
    def then_act(module: ModuleType) -> Iterator[None]:
        yield
        action(module)

    around_import(name, then_act)
    if name in sys.modules:
        # Waits, should another thread be importing it.
        action(import_module(name))
