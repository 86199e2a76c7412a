# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
from mmengine.structures import PixelData
from mmseg.models import SegTTAModel
from mmseg.registry import MODELS
from mmseg.utils import SampleList
from torch import Tensor


@MODELS.register_module()
class LogitTTAModel(SegTTAModel):
    """Test-time augmentation that averages logits at image size.

    mmseg's own averages probabilities. The mean stays in ``seg_logits``, so
    that a metric can refine it.
    """

    def merge_preds(self, data_samples_list: list[SampleList]) -> SampleList:
        """Merge the predictions of all augmentations of each image.

        Args:
            data_samples_list (list[list[SegDataSample]]): For each image, one
                prediction an augmentation, already unflipped and resized to the
                image.

        Returns:
            list[SegDataSample]: One an image, with ``seg_logits`` (C, H, W) and
            ``pred_sem_seg`` (1, H, W).
        """
        merged = []
        for data_samples in data_samples_list:
            logits = self.merge_logits(torch.stack(
                [sample.seg_logits.data for sample in data_samples]))
            sample = data_samples[0]
            sample.set_data(
                dict(
                    seg_logits=PixelData(data=logits),
                    pred_sem_seg=PixelData(data=logits.argmax(0, keepdim=True))))
            merged.append(sample)
        return merged

    def merge_logits(self, logits: Tensor) -> Tensor:
        """The logits (C, H, W) of an image from those (V, C, H, W) of its views."""
        return logits.mean(dim=0)
