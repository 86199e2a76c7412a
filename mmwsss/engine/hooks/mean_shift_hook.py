# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
import torch.nn.functional as F
from mmengine.dist import all_reduce
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from .stage_switch_hook import unwrap_model


@HOOKS.register_module()
class MeanShiftHook(Hook):
    """Store the mean displacement when training ends.

    Pairs of pixels tell displacements but for a constant. `IRN
    <https://arxiv.org/abs/1904.05044>`_ takes it for the mean over the images,
    each cut, or padded with zeros, to its upper left corner, and subtracts it
    from then on. It is in the last checkpoint, as ``running_mean`` of the
    auxiliary :class:`DisplacementHead`.

    Args:
        dataloader (dict): Loads the images one by one, without augmentation.
        crop_size (int): Side of the corner, in pixels. Defaults to 512.
    """

    # Before the last checkpoint is written.
    priority = 'NORMAL'

    def __init__(self, dataloader: dict, crop_size: int = 512) -> None:
        self.dataloader = dataloader
        self.crop_size = crop_size

    def after_train_iter(self,
                         runner: Runner,
                         batch_idx: int,
                         data_batch: dict | None = None,
                         outputs: dict | None = None) -> None:
        """Measure and store, after the last iteration."""
        if runner.iter + 1 < runner.max_iters:
            return
        model = unwrap_model(runner.model)
        head = model.auxiliary_head
        loader = Runner.build_dataloader(self.dataloader, seed=runner.seed)
        head.running_mean.zero_()
        # Sums of both coordinates and the number of images.
        total = torch.zeros(3, device=head.running_mean.device)
        model.eval()
        with torch.no_grad():
            for batch in loader:
                images = model.data_preprocessor(batch, False)['inputs']
                height, width = images.shape[2:]
                images = F.pad(images, (0, self.crop_size - width, 0,
                                        self.crop_size - height))
                field = head(model.extract_feat(images))
                total[:2] += field.float().mean(dim=(2, 3)).sum(dim=0)
                total[2] += len(images)
        model.train()
        all_reduce(total)
        head.running_mean.copy_(total[:2] / total[2])
        runner.logger.info('mean displacement of %d images: %s', total[2],
                           head.running_mean.tolist())
