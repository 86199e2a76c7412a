# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Which file of initial weights to bring where there is no network."""

import os.path as osp
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.error import URLError

from mmengine.config import Config

from mmwsss.utils.nested import iter_dicts

_BY_RUN = '--weights FILE (mmwsss run), segmentor_weights=FILE (recipes that have it)'
_CLIENTS = ('huggingface_hub', 'httpx', 'requests', 'urllib3')


@contextmanager
def naming_weights(cfg: Config) -> Iterator[None]:
    """Let an error of a download say which file is missing and where it goes.

    Args:
        cfg (Config): The config of the model whose initial weights are loaded.

    Raises:
        ConnectionError: In place of the download's own error.
    """
    try:
        yield
    except OSError as error:
        client = type(error).__module__.split('.')[0]
        if not isinstance(error, URLError) and client not in _CLIENTS:
            raise
        wanted = [_describe(part) for part in iter_dicts(cfg.model)]
        raise ConnectionError(
            'cannot download the pretrained weights (no network?): bring '
            f'{"; or ".join(filter(None, dict.fromkeys(wanted))) or error}') from error


def _describe(part: dict) -> str:
    """The weights that a part of a model asks the network for; '' for none."""
    checkpoint = part.get('checkpoint')
    if part.get('type') == 'Pretrained' and isinstance(checkpoint, str):
        if osp.isfile(checkpoint):
            return ''
        return (f'the file of {checkpoint} and name it by {_BY_RUN} '
                'or model.backbone.init_cfg.checkpoint=FILE')
    if part.get('pretrained') is not True or not part.get('model_name'):
        return ''
    import timm
    pretrained = timm.get_pretrained_cfg(part['model_name'])
    if pretrained is None:
        return ''
    source = pretrained.url or (
        f'https://huggingface.co/{pretrained.hf_hub_id}/resolve/main/'
        'model.safetensors')
    return (f'the file {source} and name it by {_BY_RUN} or '
            'model.backbone.pretrained_cfg_overlay.file=FILE')
