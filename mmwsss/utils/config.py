# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Configs as the command line changes them."""

from typing import Any

from mmengine.config import Config


def read_config(path: str, options: dict | None = None) -> Config:
    """Read a config and apply ``--cfg-options``.

    Args:
        path (str): The config file.
        options (dict, optional): Settings by dotted key. ``data_root`` is that
            of all datasets, which otherwise would keep the value they copied
            from the variable of that name; a dataset's own option comes first.

    Returns:
        Config: The changed config.
    """
    cfg = Config.fromfile(path)
    options = options or {}
    if 'data_root' in options:
        set_data_root(cfg._cfg_dict, options['data_root'])
    cfg.merge_from_dict(options)
    return cfg


def set_data_root(node: Any, data_root: str) -> None:
    """Set every ``data_root`` in a nested config, in place."""
    if isinstance(node, dict):
        if isinstance(node.get('data_root'), str):
            node['data_root'] = data_root
        for value in node.values():
            set_data_root(value, data_root)
    elif isinstance(node, (list, tuple)):
        for value in node:
            set_data_root(value, data_root)
