# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable, Sequence

import torch
from mmengine.utils import import_modules_from_strings
from mmseg.registry import METRICS, MODELS

from mmwsss.datasets.image_io import read_image, read_saliency, write_mask
from mmwsss.structures import Seed
from mmwsss.utils import naming
from mmwsss.utils.parallel import WorkerPool

from .base_writer import BaseMaskWriter, dataset_palette


def pseudo_label_setup(label_rule: dict,
                       palette: list,
                       imports: Sequence[str] = ()) -> Callable:
    """Build what makes and writes pseudo labels, in a worker process.

    Args:
        label_rule (dict): Config of a label rule such as ``ThresholdLabel``.
        palette (list): RGB triples, one a class.
        imports (Sequence[str]): Further modules that register refiners.

    Returns:
        Callable: Of one tuple: the seed or its file, the image's file, the
        file to write and, for rules that use one, that of the saliency map.
    """
    import_modules_from_strings(['mmwsss', *imports])
    rule = MODELS.build(label_rule).eval()

    def work(task: tuple) -> None:
        seed, image_path, path, *rest = task
        source = ''
        if isinstance(seed, str):
            source, seed = seed, Seed.load(seed)
        elif isinstance(seed, tuple):
            seed = Seed(*seed)
        if any(seed.labels >= len(palette)):
            raise ValueError(f'{source or image_path}: the seed has label '
                             f'{int(max(seed.labels))}, of {len(palette)} classes')
        cues = [torch.from_numpy(read_image(image_path)).permute(2, 0, 1)]
        if getattr(rule, 'uses_saliency', False):
            if not rest or rest[0] is None:
                raise ValueError(
                    f'{image_path}: {type(rule).__name__} needs a saliency map;'
                    ' give the dataset `data_prefix=dict(saliency_path=...)`')
            cues.append(torch.from_numpy(read_saliency(rest[0])))
        with naming(image_path), torch.no_grad():
            mask = rule(seed, *cues)
        write_mask(path, mask.cpu().numpy(), palette)

    return work


@METRICS.register_module()
class PseudoLabelWriter(BaseMaskWriter):
    """Turns seeds into pseudo labels on the way: ``<id>.png``, no seed files.

    The PNGs are 8-bit palette images of class ids at image size. Full-size
    seeds are used where the model makes them.

    Args:
        out_dir (str): The folder to write into.
        label_rule (dict): Config of a label rule: ``ThresholdLabel`` or
            ``IRNLabel`` with a refiner.
        jobs (int): Worker processes that refine; 0 refines in this one.
            Defaults to 0.
        imports (Sequence[str]): Modules that workers import, beside mmwsss,
            because they register refiners.
        **kwargs: Arguments of :class:`BaseMaskWriter`, such as ``palette``.
    """

    def __init__(self,
                 out_dir: str,
                 label_rule: dict,
                 jobs: int = 0,
                 imports: Sequence[str] = (),
                 **kwargs) -> None:
        super().__init__(out_dir, **kwargs)
        self.label_rule = label_rule
        self.jobs = jobs
        self.imports = tuple(imports)
        self._pool: WorkerPool | None = None

    def write(self, sample: dict, path: str) -> None:
        """Refine one seed and write its pseudo label."""
        seed = sample.get('full_seed') or sample.get('seed')
        if seed is None:
            raise ValueError(f'{path}: the prediction holds no seed; predict '
                             'with CAMTTAModel')
        if self._pool is None:
            self._pool = WorkerPool(
                self.jobs, pseudo_label_setup, self.label_rule,
                dataset_palette(self.dataset_meta, self.palette),
                self.imports)
        if self.jobs:
            # Arrays, since tensors would travel through shared memory.
            background = seed.background
            seed = (seed.scores.cpu().numpy(), seed.labels.cpu().numpy(),
                    seed.size,
                    None if background is None else background.cpu().numpy())
        self._pool.submit(
            (seed, sample['img_path'], path, sample.get('saliency_path')))

    def finish(self) -> None:
        """Wait for the workers."""
        if self._pool is not None:
            self._pool.finish()
            self._pool.close()
            self._pool = None
