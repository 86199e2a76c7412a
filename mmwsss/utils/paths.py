# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Where the tools, configs and demos are, in a checkout and in an install."""

import os.path as osp

_PACKAGE = osp.dirname(osp.dirname(osp.abspath(__file__)))


def project_path(*parts: str) -> str:
    """Return the path of a file that lies outside the package in a checkout.

    A checkout holds ``configs/``, ``tools/`` and ``demo/`` beside the package;
    an install from a wheel holds them in ``mmwsss/.mim/``. The checkout wins,
    so that an edit is seen even where an old ``.mim`` is left.

    Args:
        *parts (str): The path below the project root, by parts, for example
            ``'tools', 'train.py'``.

    Returns:
        str: The absolute path.

    Raises:
        FileNotFoundError: If it exists in neither place.
    """
    candidates = [
        osp.join(root, *parts)
        for root in (osp.dirname(_PACKAGE), osp.join(_PACKAGE, '.mim'))
        if osp.isfile(osp.join(root, 'model-index.yml'))
    ]
    for path in candidates:
        if osp.exists(path):
            return path
    raise FileNotFoundError(
        f'{osp.join(*parts)} is not part of this mmwsss, looked for: '
        f'{", ".join(candidates) or "no checkout and no .mim folder found"}')
