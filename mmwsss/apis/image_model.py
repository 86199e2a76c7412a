# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""A trained model for images that are in memory."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from mmcv.transforms import Compose, LoadAnnotations, LoadImageFromFile, TestTimeAug
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.model import revert_sync_batchnorm
from mmseg.models.segmentors import BaseSegmentor
from mmseg.registry import DATASETS, MODELS, TRANSFORMS
from mmseg.structures import SegDataSample

from mmwsss.datasets.transforms import ImageLabelsFromMask, LoadPILImage
from mmwsss.engine import apply_checkpoint_stage
from mmwsss.utils import change_config
from mmwsss.utils.devices import check_device

# What reads files, or needs a mask, in a test pipeline.
_LOADERS = (LoadImageFromFile, LoadAnnotations, LoadPILImage, ImageLabelsFromMask)


def trained_meta(checkpoint: dict) -> dict:
    """Classes and palette that a checkpoint was trained with, as far as it says."""
    return checkpoint.get('meta', {}).get('dataset_meta') or {}


def change_trained_config(cfg: Config, meta: dict,
                          cfg_options: dict | None = None) -> None:
    """Apply overrides to the config of a trained model, in place.

    Args:
        cfg (Config): The config. Where it names a file of classes, which may be
            elsewhere or another one by now, those of the checkpoint count.
        meta (dict): Of :func:`trained_meta`.
        cfg_options (dict, optional): The overrides.
    """
    options = dict(cfg_options or {})
    if isinstance(cfg.get('classes'), str) and meta.get('classes'):
        options.setdefault('classes', list(meta['classes']))
    change_config(cfg, options)


def dataset_meta(dataset: dict) -> dict:
    """Classes and palette that the type and the ``metainfo`` of a dataset say."""
    kind = dataset.get('type')
    kind = DATASETS.get(kind) if isinstance(kind, str) else kind
    return {**(getattr(kind, 'METAINFO', None) or {}),
            **(dataset.get('metainfo') or {})}


def load_model(cfg: Config, checkpoint: dict, weights: str,
               device: str) -> BaseSegmentor:
    """Build the model of a config and give it its weights, strictly.

    Args:
        cfg (Config): Its ``model`` loses the names of initial weights.
        checkpoint (dict): As read; one of a later training stage puts the model into
            that stage.
        weights (str): Where it was read from, for errors.
        device (str): Where the model goes.

    Returns:
        BaseSegmentor: In evaluation mode.

    Raises:
        ValueError: If the checkpoint belongs to another model, or there is no such
            device.
    """
    check_device(device)
    # The checkpoint holds all weights: nothing is to be downloaded.
    cfg.model.pop('pretrained', None)
    for key in ('pretrained', 'checkpoint_path'):
        cfg.model.backbone.pop(key, None)
    model = MODELS.build(cfg.model)
    if device == 'cpu':
        model = revert_sync_batchnorm(model)
    state = checkpoint.get('state_dict', checkpoint)
    try:
        model.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise ValueError(f'{weights} is not a checkpoint of the model in '
                         f'{cfg.filename}: {_shorten(error)}') from error
    apply_checkpoint_stage(model, checkpoint)
    return model.to(device).eval()


def memory_pipeline(pipeline: Sequence[dict]) -> Callable:
    """A test pipeline for an image that is in memory and has no mask."""
    return Compose(_without_loaders(pipeline))


def predict_image(runner: Any, pipeline: Callable, name: str, image: np.ndarray,
                  labels: np.ndarray | None) -> SegDataSample:
    """Run a model on one image.

    Args:
        runner (nn.Module): The model, or its test-time augmentation.
        pipeline (Callable): Of :func:`memory_pipeline`.
        name (str): What errors call the image.
        image (np.ndarray): uint8 RGB of shape (H, W, 3).
        labels (np.ndarray, optional): Its image labels, multi-hot, background first.

    Returns:
        SegDataSample: The prediction at the image's size.
    """
    data = pipeline(
        dict(
            img=np.ascontiguousarray(image[..., ::-1]),
            img_shape=image.shape[:2],
            ori_shape=image.shape[:2],
            img_path=name,
            img_id=name,
            seg_fields=[]))
    if labels is not None:
        samples = data['data_samples']
        for sample in samples if isinstance(samples, list) else [samples]:
            sample.set_metainfo(dict(tags=labels))
    return runner.test_step(pseudo_collate([data]))[0]


def _without_loaders(pipeline: Sequence[dict]) -> list[dict]:
    kept = []
    for transform in map(dict, pipeline):
        kind = transform['type']
        kind = TRANSFORMS.get(kind) if isinstance(kind, str) else kind
        if isinstance(kind, type) and issubclass(kind, _LOADERS):
            continue
        if isinstance(kind, type) and issubclass(kind, TestTimeAug):
            groups = map(_without_loaders, transform['transforms'])
            transform['transforms'] = [group for group in groups if group]
        kept.append(transform)
    return kept


def _shorten(error: Exception) -> str:
    """The head of torch's long message on state dicts that do not fit."""
    lines = [line.strip()[:200] for line in str(error).splitlines()]
    return ' '.join(lines[:6])
