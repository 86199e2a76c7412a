# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""What spares tests in one process, or in its forks, what a new one would do."""

from mmengine.config import Config


def plain_text(cfg: Config) -> str:
    """In place of ``pretty_text``, of which the layout takes most of a run's time."""
    return '\n'.join(f'{key} = {value!r}' for key, value in cfg.items())


def forget_instances(cls: type) -> None:
    """Forget the loggers and hubs: a new process has none."""
    cls._instance_dict.clear()
    for subclass in cls.__subclasses__():
        forget_instances(subclass)
