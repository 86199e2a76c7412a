# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from mmseg.registry import METRICS

from .base_writer import BaseMaskWriter


@METRICS.register_module()
class MaskWriter(BaseMaskWriter):
    """Writes predictions as palette PNGs of class ids: ``<id>.png``.

    mmseg's ``IoUMetric(output_dir=...)`` names files by the last part of an image's
    path, so that images of one name in two folders overwrite each other.

    Args:
        out_dir (str): The folder to write into.
        palette (list, optional): RGB triples, one a class. Defaults to the
            dataset's, and to VOC's colours without one.
        skip_existing (bool): Whether files that are there stay as they are.
            Defaults to False.
    """

    def __init__(self,
                 out_dir: str,
                 palette: list | None = None,
                 skip_existing: bool = False) -> None:
        super().__init__(out_dir, palette, skip_existing=skip_existing)

    def write(self, sample: dict, path: str) -> None:
        """Write one predicted mask."""
        self.write_mask(
            path, sample['pred_sem_seg']['data'].squeeze(0).cpu().numpy())
