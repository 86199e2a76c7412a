# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from collections.abc import Iterator

from mmengine.dataset import BaseDataset, DefaultSampler
from mmseg.registry import DATA_SAMPLERS

from mmwsss.datasets.image_ids import image_infos
from mmwsss.datasets.image_io import read_image_size

from .resize_to_patches import patches_size


@DATA_SAMPLERS.register_module()
class SameSizeSampler(DefaultSampler):
    """Images that :class:`ResizeToPatches` makes of one size, side by side.

    :class:`CLIPESTTAModel` computes the images of a batch together that are of one
    size, so batches should hold such. The largest come first: if there is not enough
    memory, it shows at once. Within a size the order is that of the dataset, and of
    several processes each takes every so many-th image of the whole order, so each
    has them by size.

    Sizes are read from the headers of files. Images of shards stay in the order in
    which they lie there, since that is how they are read.

    Args:
        dataset (BaseDataset): The images.
        patch_size (int): As of :class:`ResizeToPatches`. Defaults to 16.
        max_long (int, optional): Likewise. Defaults to None.
        ignore_orientation (bool): As of :class:`LoadPILImage`. Defaults to False.
        seed (int, optional): Not used; the runner gives its own.
        round_up (bool): As in :class:`mmengine.dataset.DefaultSampler`. Defaults to
            True.

    Raises:
        FileNotFoundError: If an image is missing.
        ValueError: Naming the file, if a file has no header of an image.
    """

    def __init__(self,
                 dataset: BaseDataset,
                 patch_size: int = 16,
                 max_long: int | None = None,
                 ignore_orientation: bool = False,
                 seed: int | None = None,
                 round_up: bool = True) -> None:
        super().__init__(dataset, shuffle=False, seed=seed or 0, round_up=round_up)
        self.order = list(range(len(dataset)))
        if hasattr(dataset, 'block_starts'):
            return
        sizes = [
            patches_size(
                read_image_size(info['img_path'], ignore_orientation,
                                getattr(dataset, 'backend_args', None)),
                patch_size, max_long) for info in image_infos(dataset)
        ]
        self.order.sort(key=lambda i: (-sizes[i][0] * sizes[i][1], sizes[i], i))

    def __iter__(self) -> Iterator[int]:
        """Yield the positions of this process's images."""
        return (self.order[i] for i in super().__iter__())
