# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The projects that parts of mmwsss know by a short name.

A checkout has them, an installed package has not, and nothing here imports one.
"""

import os.path as osp
from typing import NamedTuple

from .paths import project_path


class Project(NamedTuple):
    """What a project offers.

    Args:
        package (str): Its package, such as ``'projects.clip_es'``.
        recipe (str): The beginning of its recipes' names for one's own photos, in its
            folder ``configs``.
        localizer (str, optional): The class in it that finds any words in an image, see
            :class:`mmwsss.apis.localizers.Localizer`. Defaults to None: it has none.
    """

    package: str
    recipe: str
    localizer: str | None = None

    def path(self, user: str, *parts: str) -> str:
        """The path of a part of it.

        Args:
            user (str): What errors say needs it.
            *parts (str): The parts of the path below its folder.

        Raises:
            FileNotFoundError: If there is no checkout, or it has none.
        """
        root = osp.dirname(project_path('configs'))
        path = osp.join(root, *self.package.split('.'), *parts)
        if not osp.exists(path):
            raise FileNotFoundError(
                f'{user} needs a checkout of mmwsss: there is no {path}')
        return path


PROJECTS = dict(
    clip=Project('projects.clip_es', 'clip_es', 'CLIPLocalizer'),
    recommended=Project('projects.recommended', 'recommended'))
"""Short name -> project."""
