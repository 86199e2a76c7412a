# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
from mmengine.structures import PixelData
from mmseg.models import SegTTAModel
from mmseg.registry import MODELS
from mmseg.utils import SampleList


@MODELS.register_module()
class MaxTTAModel(SegTTAModel):
    """Test-time augmentation that takes each class's largest probability.

    As MCTformer tests its segmentation at several scales. ``seg_logits`` are the
    logarithms of these, so that a softmax makes probabilities of them again, for a
    metric that refines.
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
            logits = torch.stack([
                sample.seg_logits.data.log_softmax(dim=0) for sample in data_samples
            ]).amax(dim=0)
            sample = data_samples[0]
            sample.set_data(
                dict(
                    seg_logits=PixelData(data=logits),
                    pred_sem_seg=PixelData(data=logits.argmax(0, keepdim=True))))
            merged.append(sample)
        return merged
