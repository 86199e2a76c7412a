# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""From images with tags to masks, in one pass."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.utils import import_modules_from_strings
from mmseg.registry import MODELS
from torch import Tensor

from mmwsss.datasets.image_io import MAX_PIXELS, decode_image, encode_mask
from mmwsss.engine import fast_inference, load_checkpoint_file
from mmwsss.engine.runner.checkpoint import use_safe_loading
from mmwsss.shards import ShardRow, load_image_bytes
from mmwsss.structures import encode_tags

from ..image_model import load_model, memory_pipeline, predict_image


@dataclass
class ViewModelSettings:
    """A model and the views that it sees of an image.

    Args:
        config (dict): Its config as plain values.
        source (str): What errors call the config.
        checkpoint (str): Its weights, where each worker can read them.
        tta_model (dict): What merges the views.
        pipeline (list[dict]): What makes them.
    """

    config: dict
    source: str
    checkpoint: str
    tta_model: dict
    pipeline: list


@dataclass
class LabelSettings:
    """How images are labelled; picklable.

    Args:
        seeds (ViewModelSettings): The model whose class maps are seeds.
        classes (list[str]): All classes, background first.
        palette (list): RGB triples, one a class.
        rule (dict, optional): Config of a label rule. None only with a walk.
        guides (ViewModelSettings, optional): The model whose predictions guide a
            walk of the seeds.
        walk (dict, optional): Config of the :class:`WalkLabel`.
        device (str): Where the models compute.
    """

    seeds: ViewModelSettings
    classes: list[str]
    palette: list
    rule: dict | None
    guides: ViewModelSettings | None = None
    walk: dict | None = None
    device: str = 'cpu'


@dataclass
class Labelled:
    """What became of an image.

    Args:
        row (ShardRow): With its mask; without the image itself.
        mask (np.ndarray, optional): Class ids, uint8 of (H, W); None if the image
            could not be labelled.
        tags (np.ndarray, optional): Its image labels, multi-hot.
        reason (str): Why it could not be labelled.
    """

    row: ShardRow
    mask: np.ndarray | None = None
    tags: np.ndarray | None = None
    reason: str = ''


class UnknownTagError(ValueError):
    """A tag that is none of the model's classes: the tables are wrong, not an image."""


class LabelImages:
    """Images with tags in, masks out.

    Each image is decoded, the class maps of all its views are merged to a seed, the
    seed walks where a guide is given, is refined (dense CRF, PAMR) and becomes a
    mask; nothing is stored in between. Images pass one by one, so that a mask does
    not depend on those beside it. As ``generate_seeds.py --labels-out`` labels
    them, bit for bit on a CPU.

    Args:
        settings (LabelSettings): How.

    Raises:
        FileNotFoundError: If there is no such checkpoint.
        ValueError: If a checkpoint belongs to another model.
    """

    def __init__(self, settings: LabelSettings) -> None:
        use_safe_loading()
        self.settings = settings
        self._stack = ExitStack()
        self.seeds = _ViewModel(settings.seeds, settings.device, self._stack)
        self.guides = self.walk = self.rule = None
        if settings.guides is not None:
            self.guides = _ViewModel(settings.guides, settings.device, self._stack)
            self.walk = MODELS.build(settings.walk).eval()
        if settings.rule is not None:
            self.rule = MODELS.build(settings.rule).eval()

    def __call__(self, rows: Sequence[ShardRow]) -> list[Labelled]:
        """Label a batch.

        Args:
            rows (Sequence[ShardRow]): Images, by content or path, with tags.

        Returns:
            list[Labelled]: In order. An image that cannot be read or labelled says
            why.

        Raises:
            UnknownTagError: Naming the image and the tag.
        """
        return [self.label(row) for row in rows]

    def label(self, row: ShardRow) -> Labelled:
        """Label one image."""
        try:
            labels = self._encode(row)
            image = self.seeds.decode(load_image_bytes(row), row.id)
            mask, scores = self._predict(row.id, image, labels)
        except UnknownTagError:
            raise
        except (ValueError, OSError, torch.OutOfMemoryError) as error:
            return Labelled(row, reason=' '.join(str(error).split()))
        done = ShardRow(
            row.id, path=row.path, tags=row.tags,
            mask=encode_mask(mask, self.settings.palette, row.id),
            classes=list(scores), scores=list(scores.values()),
            width=image.shape[1], height=image.shape[0])
        return Labelled(done, mask, labels)

    def _encode(self, row: ShardRow) -> np.ndarray:
        if row.tags is None:
            raise ValueError(f'{row.id} has no tags')
        names = [name for name in row.tags if name != self.settings.classes[0]]
        try:
            return encode_tags(names, self.settings.classes)
        except ValueError as error:
            raise UnknownTagError(f'photo {row.id!r}: {error}') from error

    @torch.no_grad()
    def _predict(self, name: str, image: np.ndarray, labels: np.ndarray
                 ) -> tuple[np.ndarray, dict[str, float]]:
        sample = self.seeds(name, image, labels)
        seed = sample.seed
        scores = {self.settings.classes[label]:
                  float(sample.pred_label_scores[label - 1])
                  for label in seed.labels.tolist()}
        if self.walk is not None and self.guides is not None:
            guide = self.guides(name, image, labels).guide
            seed = self.walk.walk(seed, guide)
            if self.rule is None:
                return self.walk.decide(seed).cpu().numpy(), scores
        elif 'full_seed' in sample:
            seed = sample.full_seed
        assert self.rule is not None  # noqa: S101
        pixels: Tensor = torch.from_numpy(image).permute(2, 0, 1)
        return self.rule(seed, pixels).cpu().numpy(), scores


class _ViewModel:
    """A model that is built, with the pipeline that makes its views."""

    def __init__(self, settings: ViewModelSettings, device: str,
                 stack: ExitStack) -> None:
        cfg = Config(settings.config)
        import_modules_from_strings(
            ['mmwsss', *cfg.get('custom_imports', {}).get('imports', [])])
        init_default_scope(cfg.get('default_scope', 'mmseg'))
        checkpoint = load_checkpoint_file(settings.checkpoint)
        try:
            model = load_model(cfg, checkpoint, settings.checkpoint, device)
        except ValueError as error:
            raise ValueError(str(error).replace('None', settings.source, 1)) from error
        fast = (cfg.get('default_hooks') or {}).get('fast_inference', {})
        if fast is not None and hasattr(model, 'backbone'):
            stack.enter_context(fast_inference(
                model.backbone, **{key: value for key, value in fast.items()
                                   if key in ('fold', 'channels_last', 'amp')}))
        self.runner = MODELS.build(dict(settings.tta_model, module=model)).eval()
        self.pipeline = memory_pipeline(settings.pipeline)
        self._loader = next(
            (dict(step) for step in settings.pipeline
             if str(step['type']).endswith('LoadPILImage')), {})

    def decode(self, data: bytes, name: str) -> np.ndarray:
        """The image as its pipeline's loader would read it."""
        return decode_image(
            data, name, self._loader.get('ignore_orientation', False),
            self._loader.get('max_pixels', MAX_PIXELS))

    def __call__(self, name: str, image: np.ndarray, labels: np.ndarray) -> Any:
        """The prediction of an image."""
        return predict_image(self.runner, self.pipeline, name, image, labels)
