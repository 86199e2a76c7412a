# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
import torch.nn.functional as F
from mmengine.structures import PixelData
from mmseg.models import EncoderDecoder
from mmseg.models.utils import resize
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from mmseg.utils import SampleList, add_prefix
from torch import Tensor

from mmwsss.structures import LabelGrid


@MODELS.register_module()
class MultiScaleSegmentor(EncoderDecoder):
    """DeepLab-v2's multi-scale input ("MSC"): the best logit of three scales.

    The same network sees the image at several scales; the logits of the smaller
    ones are upsampled to the first, and the maximum of each class and pixel is
    the output. Every scale and the maximum are supervised with labels sampled
    down to the size of the logits, and their losses add up.

    Paper: `DeepLab: Semantic Image Segmentation with Deep Convolutional Nets,
    Atrous Convolution, and Fully Connected CRFs
    <https://arxiv.org/abs/1606.00915>`_, Sec. 4.1.2.

    Args:
        scales (tuple[float]): Scales beside the image itself. Defaults to
            (0.5, 0.75).
        **kwargs: Arguments of ``EncoderDecoder``.

    Raises:
        ValueError: If an ``auxiliary_head`` is given; it would not be trained.
    """

    def __init__(self, *args, scales: tuple[float, ...] = (0.5, 0.75),
                 **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if self.with_auxiliary_head:
            raise ValueError('MultiScaleSegmentor has no auxiliary_head')
        self.scales = tuple(scales)

    def multi_scale_logits(self, inputs: Tensor) -> dict[str, Tensor]:
        """Compute the logits of every scale and their maximum.

        Args:
            inputs (Tensor): Preprocessed images of shape (N, 3, H, W).

        Returns:
            dict[str, Tensor]: Logits of shape (N, C, h, w) under ``'1x'``,
            ``'0.5x'``, ... (each at its own size), last ``'max'`` at the size
            of ``'1x'``.
        """
        logits = {'1x': self.decode_head(self.extract_feat(inputs))}
        for scale in self.scales:
            scaled = F.interpolate(
                inputs, scale_factor=scale, mode='bilinear', align_corners=False)
            logits[f'{scale}x'] = self.decode_head(self.extract_feat(scaled))
        size = logits['1x'].shape[2:]
        upsampled = [
            resize(x, size=size, mode='bilinear', align_corners=False)
            for x in logits.values()
        ]
        logits['max'] = torch.stack(upsampled).amax(dim=0)
        return logits

    def loss(self, inputs: Tensor, data_samples: SampleList) -> dict:
        """Compute the losses of all outputs.

        Args:
            inputs (Tensor): Preprocessed images of shape (N, 3, H, W).
            data_samples (list[SegDataSample]): With ``gt_sem_seg``.

        Returns:
            dict[str, Tensor]: The losses ``'decode_1x.loss_ce'``, ...; their
            sum is what is minimised.
        """
        losses = dict()
        for name, logits in self.multi_scale_logits(inputs).items():
            samples = [
                _resize_label(sample, logits.shape[2:]) for sample in data_samples
            ]
            loss = self.decode_head.loss_by_feat(logits, samples)
            losses.update(add_prefix(loss, f'decode_{name}'))
        return losses

    def encode_decode(self, inputs: Tensor,
                      batch_img_metas: list[dict]) -> Tensor:
        """Compute the maximum over scales, at the size of the inputs.

        Args:
            inputs (Tensor): Preprocessed images of shape (N, 3, H, W).
            batch_img_metas (list[dict]): Meta information of each image.

        Returns:
            Tensor: Logits of shape (N, C, H, W).
        """
        return self.decode_head.predict_by_feat(
            self._forward(inputs), batch_img_metas)

    def _forward(self, inputs: Tensor, data_samples=None) -> Tensor:
        return self.multi_scale_logits(inputs)['max']


def _resize_label(sample: SegDataSample, size: torch.Size) -> SegDataSample:
    label = sample.gt_sem_seg.data
    resized = LabelGrid(label.shape[-2:], size).sample(label)
    return SegDataSample(gt_sem_seg=PixelData(data=resized))
