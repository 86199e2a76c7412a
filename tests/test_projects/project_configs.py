# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The configs of a project, as its tests read them."""

from pathlib import Path

from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmwsss.utils import read_config

ROOT = Path(__file__).parents[2]


class ProjectConfigs:
    """Names of a project's networks and recipes, which lie in ``folder``."""

    def __init__(self, project: str) -> None:
        self.folder = ROOT / 'projects' / project / 'configs'
        names = sorted(path.stem for path in self.folder.glob('*.py'))
        self.recipes = [name for name in names if name.endswith('_pipeline')]
        self.networks = [name for name in names if not name.endswith('_pipeline')]

    def path(self, name: str) -> str:
        return str(self.folder / f'{name}.py')

    def load(self, name: str, options: dict | None = None) -> Config:
        """Read a network's config, which downloads no weights when it is built."""
        init_default_scope('mmseg')
        if options is None and '_folder' in name:
            options = dict(classes=['owl', 'fox'])
        cfg = read_config(self.path(name), options or {})
        for backbone in (cfg.model.backbone, cfg.model.backbone.get('stem') or {}):
            if backbone.get('pretrained'):
                backbone.pretrained = False
        return cfg
