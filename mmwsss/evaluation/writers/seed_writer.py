# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from mmseg.registry import METRICS

from .base_writer import BaseWriter


@METRICS.register_module()
class SeedWriter(BaseWriter):
    """Writes the seed of each image as ``<id>.npz``; see :class:`Seed`.

    Args:
        out_dir (str): The folder to write into.
        full_size (bool): Whether to write seeds at image size, sixteen times
            as large, rather than at stride 4. Defaults to False.
        **kwargs: Arguments of :class:`BaseWriter`.
    """

    suffix = '.npz'

    def __init__(self,
                 out_dir: str,
                 full_size: bool = False,
                 **kwargs) -> None:
        super().__init__(out_dir, **kwargs)
        self.full_size = full_size

    def write(self, sample: dict, path: str) -> None:
        """Write one seed."""
        name = 'full_seed' if self.full_size else 'seed'
        if name not in sample:
            raise ValueError(f'{path}: the prediction holds no {name}; predict'
                             ' with CAMTTAModel')
        sample[name].save(path)
