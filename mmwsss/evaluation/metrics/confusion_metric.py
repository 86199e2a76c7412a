# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""What the metrics over confusion matrices share."""

from abc import abstractmethod
from collections import Counter
from collections.abc import Sequence
from math import isnan
from typing import Any

from mmengine.config import Config
from mmengine.dist import all_gather_object, get_rank
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from torch import Tensor

from mmwsss.utils import naming, write_json
from mmwsss.utils.views import read_views

from .confusion_scores import class_table

PROTOCOL_FIELDS = ('split', 'labels', 'scales', 'crf', 'weights',
                   'supervision')


class ConfusionMetric(BaseMetric):
    """A metric from one confusion count over the whole dataset.

    mmseg's metrics keep the areas of every image until the end. Here each
    process adds up one count, and no image counts twice: not in one process,
    and not over several, where mmengine's ``DefaultSampler`` repeats images
    so that all processes have the same number. Such a repetition is the last
    image of its process; the count of the last image is therefore kept apart
    until all processes know what the others have counted. Any other overlap
    is an error.

    Args:
        protocol (dict, optional): What must stand beside every number:
            ``split``, ``labels`` (source of the image labels), ``scales``
            (and flips), ``crf``, ``weights`` (initial weights),
            ``supervision``. Fields not given are printed as not stated.
        on_missing_mask (str): ``'error'``, or ``'skip'`` to leave images
            without mask out. Defaults to ``'error'``.
        out_file (str, optional): Where to write the details as JSON.
        print_classes (bool): Whether to print the per-class table. Defaults
            to True.
        collect_device (str): Part of mmengine's interface. Defaults to
            ``'cpu'``.
        prefix (str, optional): Prefix of the names of the scores.

    Raises:
        ValueError: For an unknown protocol field or ``on_missing_mask``.
    """

    _names: dict[str, tuple[bool, dict]]
    _total: Tensor | None
    _last: Tensor | None

    def __init__(self,
                 protocol: dict | None = None,
                 on_missing_mask: str = 'error',
                 out_file: str | None = None,
                 print_classes: bool = True,
                 collect_device: str = 'cpu',
                 prefix: str | None = None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.protocol = dict(protocol or {})
        unknown = set(self.protocol) - set(PROTOCOL_FIELDS)
        if unknown:
            raise ValueError(f'unknown protocol fields {sorted(unknown)}, '
                             f'expected some of {PROTOCOL_FIELDS}')
        if on_missing_mask not in ('error', 'skip'):
            raise ValueError("on_missing_mask must be 'error' or 'skip', got "
                             f'{on_missing_mask!r}')
        self.on_missing_mask = on_missing_mask
        self.out_file = out_file
        self.print_classes = print_classes
        self.last_protocol: str | None = None
        self._reset()

    @abstractmethod
    def count(self, sample: dict, gt: Tensor) -> Tensor:
        """Count one image.

        Args:
            sample (dict): The predicted data sample as a dict.
            gt (Tensor): Its mask of shape (H, W).

        Returns:
            Tensor: Counts, int64, whose sum over the images
            :meth:`summarize` takes, such as a confusion of shape (C, C).
        """

    @abstractmethod
    def summarize(self, counts: Tensor | None,
                  records: list[dict]) -> tuple[dict, dict]:
        """Turn the total into scores.

        Args:
            counts (Tensor | None): The total; None if no image has a mask.
            records (list[dict]): What :meth:`record` kept of each image.

        Returns:
            tuple[dict, dict]: The scores by name, and details for the file.
        """

    def record(self, sample: dict) -> dict:
        """Small facts of one image to keep until the end."""
        return {}

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Count a batch.

        Args:
            data_batch (dict): Unused; part of mmengine's interface.
            data_samples (Sequence[dict]): Predicted samples as dicts.
        """
        for sample in data_samples:
            name = _image_name(sample)
            if name in self._names:
                continue
            counts = None
            if 'gt_sem_seg' in sample:
                gt = sample['gt_sem_seg']['data'].squeeze(0)
                with naming(name):
                    counts = self.count(sample, gt)
            elif self.on_missing_mask == 'error':
                raise ValueError(
                    f'{name} has no mask to score against; load masks '
                    "(with_masks=True) or set on_missing_mask='skip'")
            self._settle()
            self._last = counts
            self._names[name] = (counts is not None, self.record(sample))

    def evaluate(self, size: int) -> dict:
        """Sum over all processes and compute the scores.

        Args:
            size (int): Number of images in the dataset.

        Returns:
            dict: The scores by prefixed name, the same in every process.

        Raises:
            RuntimeError: If two processes counted the same images.
        """
        names = all_gather_object(self._names)
        if self._last_is_repeated(names):
            self._last = None
        self._settle()
        totals = [
            one for one in all_gather_object(self._total) if one is not None
        ]
        self._reset()
        total = sum(totals) if totals else None
        images: dict[str, tuple[bool, dict]] = {}
        for of_process in names:
            for name, facts in of_process.items():
                images.setdefault(name, facts)
        masks = sum(has_mask for has_mask, _ in images.values())
        scores, details = self.summarize(
            total, [record for _, record in images.values()])
        line = self.protocol_line(len(images), masks, details)
        self.last_protocol = line
        if len(images) != size:
            print_log(f'{type(self).__name__} saw {len(images)} of {size} '
                      'images', logger='current')
        print_log(line, logger='current')
        scores = {f'{self.prefix}/{key}' if self.prefix else key: value
                  for key, value in scores.items()}
        if self.out_file is not None and get_rank() == 0:
            write_json(
                self.out_file,
                without_nan(
                    dict(scores, images=len(images), masks=masks,
                         protocol=line, details=details)))
        return scores

    def compute_metrics(self, results: list) -> dict:
        """Not used: :meth:`evaluate` sums counts, it collects no results."""
        raise NotImplementedError('call evaluate')

    def protocol_line(self, images: int, masks: int, details: dict) -> str:
        """What the numbers are of: to be printed beside them."""
        fields = {name: self.protocol.get(name, 'not stated')
                  for name in PROTOCOL_FIELDS}
        split = fields.pop('split')
        parts = [f'split {split} ({masks} masks of {images} images)']
        if 'threshold_rule' in details:
            parts.append(f'threshold {details["threshold_rule"]}')
        if 'pred_ignore' in details:
            parts.append(f'undecided pixels: {details["pred_ignore"]}')
        parts += [f'{name} {value}' for name, value in fields.items()]
        return 'Protocol: ' + ', '.join(parts)

    def describe_classes(self, scores: dict, confusion: Tensor,
                         title: str = '') -> dict:
        """Print the scores of each class, and return them as details.

        Args:
            scores (dict): Of :func:`confusion_scores`, for one confusion.
            confusion (Tensor): That confusion, (C, C).
            title (str): The line above the table. Defaults to ''.
        """
        classes = self.dataset_meta['classes']
        if self.print_classes:
            print_log(f'{title}\n{class_table(scores, classes)}', logger='current')
        return dict(
            class_IoU=dict(zip(classes, scores['IoU'].tolist(), strict=True)),
            confusion=confusion.tolist())

    @property
    def num_classes(self) -> int:
        """int: Number of classes of the dataset, background included."""
        return len(self.dataset_meta['classes'])

    def _settle(self) -> None:
        if self._last is not None:
            last = self._last.cpu()
            self._total = last if self._total is None else self._total + last
            self._last = None

    def _last_is_repeated(self, names: list[dict]) -> bool:
        """Whether another process answers for this one's last image."""
        lasts = [next(reversed(one), None) for one in names]
        counted = Counter(name for one, last in zip(names, lasts, strict=True)
                          for name in one if name != last)
        repeated = []
        for last in lasts:
            repeated.append(last in counted)
            counted.setdefault(last, 1)
        if twice := [name for name, count in counted.items() if count > 1]:
            raise RuntimeError(
                f'{len(twice)} images, {twice[0]} first, were counted by more '
                'than one process; use DefaultSampler for evaluation')
        return repeated[get_rank()]

    def _reset(self) -> None:
        self._names = {}
        self._total = None
        self._last = None


def without_nan(value: Any) -> Any:
    """The same nested value with None for NaN, which JSON lacks."""
    if isinstance(value, dict):
        return {key: without_nan(one) for key, one in value.items()}
    if isinstance(value, list):
        return [without_nan(one) for one in value]
    return None if isinstance(value, float) and isnan(value) else value


def _image_name(sample: dict) -> str:
    name = sample.get('img_path') or sample.get('img_id')
    if name is None:
        raise ValueError('a sample must carry img_path or img_id, so that no '
                         'image counts twice; got the keys '
                         f'{sorted(sample)}')
    return str(name)


def metric_settings(cfg: Config, name: str) -> dict:
    """What a config's evaluators say of a metric; its type alone by default.

    Args:
        cfg (Config): The config.
        name (str): The type of the metric, such as ``'SeedMetric'``.
    """
    for key in ('val_evaluator', 'test_evaluator'):
        evaluators = cfg.get(key) or []
        if isinstance(evaluators, dict):
            evaluators = [evaluators]
        for evaluator in evaluators:
            if evaluator['type'] == name:
                return dict(evaluator)
    return dict(type=name)


def seed_metric_settings(cfg: Config) -> dict:
    """The config's ``SeedMetric`` for seeds of its test-time augmentation.

    Args:
        cfg (Config): The config. The views of its ``seed_dataloader`` replace
            the scale in the protocol, which is that of the validation in
            training.
    """
    settings = metric_settings(cfg, 'SeedMetric')
    protocol = dict(settings.get('protocol') or {})
    loader = cfg.get('seed_dataloader') or {}
    for transform in loader.get('dataset', {}).get('pipeline', []):
        if transform['type'] == 'TestTimeAug':
            scales, flips = read_views([transform])
            protocol['scales'] = scales + ' with flips' * flips
    return dict(settings, protocol=protocol)
