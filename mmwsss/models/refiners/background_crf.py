# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.utils import import_modules_from_strings
from mmseg.registry import MODELS
from torch import Tensor

from mmwsss.structures import LabelGrid
from mmwsss.utils.parallel import WorkerPool


class BackgroundCRF:
    """Says where a dense CRF sees background, in worker processes.

    A CRF of a batch takes a CPU longer than a GPU needs for a training step.
    So it works on small maps, one image a worker, while the caller goes on:
    :meth:`start`, other work, :meth:`finish`.

    Args:
        config (dict): Config of a refiner with background.
        stride (int): The image is reduced by this, 1 or that of the maps.
        jobs (int): Worker processes; 0 works in this one. They start with the
            first batch.
        imports (Sequence[str]): Modules that workers import, beside mmwsss.

    Raises:
        ValueError: If the stride is neither 1 nor 4.
    """

    def __init__(self,
                 config: dict,
                 stride: int = 4,
                 jobs: int = 0,
                 imports: Sequence[str] = ()) -> None:
        if stride not in (1, 4):
            raise ValueError(f'stride must be 1 or 4, got {stride}')
        self.config = dict(config)
        self.stride = stride
        self.jobs = jobs
        self.imports = tuple(imports)
        self._pool: WorkerPool | None = None
        self._boxes: list[tuple] = []
        self._done: list[np.ndarray] = []

    @torch.no_grad()
    def start(self, scores: Tensor, images: Tensor, present: Tensor,
              boxes: Sequence[tuple[slice, slice]]) -> None:
        """Hand in a batch.

        Args:
            scores (Tensor): Class probabilities of shape (N, C, h, w), C with
                background. Those of absent classes are left out.
            images (Tensor): RGB in [0, 255] of shape (N, 3, H, W).
            present (Tensor): Which foreground classes each image shows, bool of
                shape (N, C - 1).
            boxes (Sequence[tuple[slice, slice]]): Rows and columns of each map
                that its image fills.
        """
        if self._pool is None:
            self._pool = WorkerPool(self.jobs, _setup, self.config,
                                    self.imports)
        self._boxes, self._done = list(boxes), []
        height, width = scores.shape[2:]
        if self.stride > 1:
            images = F.adaptive_avg_pool2d(images, (height, width))
        factors = [
            full // part
            for full, part in zip(
                images.shape[2:], scores.shape[2:], strict=True)
        ]
        for i, box in enumerate(self._boxes):
            if _is_empty(box):
                continue
            shown = torch.cat([present.new_ones(1), present[i]])
            probs = scores[i, :, box[0], box[1]][shown]
            probs = probs / probs.sum(dim=0, keepdim=True).clamp(min=1e-5)
            rows, cols = (
                slice(side.start * factor, side.stop * factor)
                for side, factor in zip(box, factors, strict=True))
            guide = images[i, :, rows, cols].round().byte()
            # Arrays, since tensors would travel through shared memory.
            self._done += self._pool.submit(
                (probs.float().clamp(0, 1).cpu().numpy(), guide.cpu().numpy()))

    def finish(self, like: Tensor) -> Tensor:
        """Wait for the batch.

        Args:
            like (Tensor): Of shape (N, h, w), on the wanted device.

        Returns:
            Tensor: Where background is the strongest, bool of shape (N, h, w);
            False outside the boxes.

        Raises:
            RuntimeError: If no batch was handed in.
        """
        if self._pool is None:
            raise RuntimeError('there is no batch to finish: call start first')
        results = iter(self._done + self._pool.finish())
        background = torch.zeros_like(like, dtype=torch.bool)
        for i, box in enumerate(self._boxes):
            if not _is_empty(box):
                background[(i, *box)] = torch.from_numpy(next(results)).to(
                    background.device)
        return background

    def __getstate__(self) -> dict:
        # Processes are not copied with a model.
        return dict(self.__dict__, _pool=None)


def _is_empty(box: tuple[slice, slice]) -> bool:
    return any(side.start >= side.stop for side in box)


def _setup(config: dict, imports: Sequence[str]) -> Callable:
    """Build the refiner; returns what one image passes."""
    import_modules_from_strings(['mmwsss', *imports])
    refiner = MODELS.build(config).eval()

    def work(task: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        probs, guide = (torch.from_numpy(array) for array in task)
        with torch.no_grad():
            label = refiner(probs[None], guide[None])[0].argmax(dim=0)
        return (LabelGrid(label.shape, probs.shape[1:]).sample(label) == 0).numpy()

    return work
