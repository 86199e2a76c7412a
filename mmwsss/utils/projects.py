# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The projects that parts of mmwsss know by a short name.

A checkout has them, an installed package has not, and nothing here imports one.
"""

from typing import NamedTuple

from .paths import checkout_path


class Project(NamedTuple):
    """What a project offers.

    Args:
        package (str): Its package, such as ``'projects.clip_es'``.
        localizer (str): The class in it that finds any words in a photo, see
            :class:`mmwsss.apis.localizers.Localizer`.
        recipe (str): The beginning of its recipes' names for one's own photos, in its
            folder ``configs``.
    """

    package: str
    localizer: str
    recipe: str

    def path(self, user: str, *parts: str) -> str:
        """The path of a part of it.

        Args:
            user (str): What errors say needs it.
            *parts (str): The parts of the path below its folder.

        Raises:
            FileNotFoundError: If there is no checkout, or it has none.
        """
        return checkout_path(user, *self.package.split('.'), *parts)


PROJECTS = dict(clip=Project('projects.clip_es', 'CLIPLocalizer', 'clip_es'))
"""Short name -> project."""
