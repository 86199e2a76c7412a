# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence

import torch
from mmseg.evaluation import IoUMetric
from mmseg.registry import METRICS, MODELS

from mmwsss.datasets.image_io import read_image


@METRICS.register_module()
class RefinedIoUMetric(IoUMetric):
    """mIoU after a refiner, scored beside the plain one in the same run.

    The softmax of ``seg_logits``, or ``seg_logits`` themselves where they are
    scores in [0, 1], go through the refiner with the image as guide, and the
    arg-max of the result is scored like any prediction. Put it after
    ``IoUMetric`` in a list of evaluators; the ``prefix`` keeps the two apart.

    Args:
        refiner (dict): A refiner whose ``has_background`` is true, such as
            ``dict(type='DenseCRF', preset='deeplab')``.
        prefix (str): Prefix of the metrics' names. Defaults to 'crf'.
        softmax (bool): Whether ``seg_logits`` are logits. Defaults to True.
        **kwargs: Arguments of ``IoUMetric``.

    Raises:
        ValueError: If the refiner does not take a background channel.

    Example:
        >>> val_evaluator = [
        ...     dict(type='IoUMetric'),
        ...     dict(type='RefinedIoUMetric',
        ...          refiner=dict(type='DenseCRF', preset='deeplab'))]
    """

    def __init__(self,
                 refiner: dict,
                 prefix: str = 'crf',
                 softmax: bool = True,
                 **kwargs) -> None:
        super().__init__(prefix=prefix, **kwargs)
        self.softmax = softmax
        self.refiner = MODELS.build(refiner)
        if not self.refiner.has_background:
            raise ValueError(
                f'{type(self.refiner).__name__} refines foreground scores only, '
                'but class probabilities have a background channel')

    @torch.no_grad()
    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Refine and score one batch.

        Args:
            data_batch (dict): Unused.
            data_samples (Sequence[dict]): Predictions with ``seg_logits`` at
                image size, ``gt_sem_seg`` and ``img_path``.

        Raises:
            KeyError: If a prediction has no ``seg_logits`` (mmseg's
                ``SegTTAModel`` leaves none that fit; use ``LogitTTAModel``).
        """
        refined = []
        for sample in data_samples:
            if 'seg_logits' not in sample:
                raise KeyError(f'no seg_logits for {sample["img_path"]}')
            probs = sample['seg_logits']['data']
            probs = probs.softmax(dim=0) if self.softmax else probs.clamp(0, 1)
            guide = torch.from_numpy(read_image(sample['img_path'])).permute(2, 0, 1)
            probs = self.refiner(probs[None], guide[None].to(probs))[0]
            label = probs.argmax(dim=0, keepdim=True)
            refined.append({**sample, 'pred_sem_seg': dict(data=label)})
        super().process(data_batch, refined)
