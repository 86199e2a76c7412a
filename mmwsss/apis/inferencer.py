# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import copy
import glob
import os
import os.path as osp
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import numpy as np
import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.registry import init_default_scope
from mmseg.models.segmentors import SegTTAModel
from mmseg.registry import MODELS
from PIL import Image
from rich.progress import track
from torch import Tensor

from mmwsss.datasets.image_io import check_rgb, read_image, voc_palette
from mmwsss.datasets.transforms.geometry import pil_resize
from mmwsss.engine import check_amp, fast_inference, load_checkpoint_file
from mmwsss.structures import Seed, encode_tags, present_classes, to_image_size
from mmwsss.utils import check_keys, load_config, project_path
from mmwsss.utils.nested import innermost_dataset
from mmwsss.utils.renamed import renamed_arguments
from mmwsss.visualization import draw_mask, draw_tags, overlay_cam

from .image_model import (
    change_trained_config,
    dataset_meta,
    load_model,
    memory_pipeline,
    predict_image,
    trained_meta,
)
from .images import ImageLike, find_images
from .results import ResultFolder


class WSSSInferencer:
    """Images in, class scores, class activation maps and masks out.

    It runs any segmentation model of mmseg. Of a model that was trained from
    image labels (:class:`WeakSegmentor`) it also gives the class scores and the
    seed. mmengine's own inferencer would unpickle a checkpoint freely and keep
    the results of a whole folder in memory; this one does neither.

    Args:
        model (str | Config): A config file, its name in ``configs/``
            (``'cam_r50_voc'``), or a config.
        weights (str): A checkpoint of that model. It is loaded safely and
            strictly; a checkpoint of a later training stage puts the model into
            that stage.
        device (str, optional): Defaults to the accelerator, if there is one.
        tta (bool): Whether to run the config's ``tta_model`` on its
            ``tta_pipeline`` (several scales and flips). Defaults to False.
        score_thr (float, optional): Without tags, a class counts as
            present where its probability exceeds this. Defaults to the head's
            ``score_thr``.
        bg_thr (float, optional): The background score that normalised
            maps compete with in a mask. Defaults to the head's ``bg_thr``.
        max_long (int, optional): Images with a longer side pass the model
            reduced to it; results are at the image's size all the same. None
            never reduces. Defaults to 1024, more than any image of VOC or COCO.
        classes (Sequence[str], optional): Class names, background first.
            Defaults to those in the checkpoint, else of the config's dataset.
        palette (Sequence[Sequence[int]], optional): Their RGB colours. Defaults
            likewise, else to the colours of VOC.
        cfg_options (dict, optional): Overrides of the config.
        fast (bool): Whether the backbone computes as
            :func:`mmwsss.engine.fast_inference` lets it: the same but for
            rounding. Defaults to True.
        amp (str, optional): The backbone's precision: ``'bf16'`` or, on a GPU,
            ``'fp16'``, where the device has it. Defaults to None: single.

    Raises:
        FileNotFoundError: If there is no such config or checkpoint.
        ValueError: If the checkpoint belongs to another model, or the class
            names are unknown or of another number than the model's.

    Example:
        >>> inferencer = WSSSInferencer('configs/cam/cam_r50_voc.py', 'cam.pth')
        >>> result = inferencer('image.jpg', tags=['cat'])
        >>> result['mask'].shape, result['scores']['cat']
        >>> inferencer('photos/', out_dir='results')
    """

    @renamed_arguments(cam_threshold='bg_thr', score_threshold='score_thr')
    def __init__(self,
                 model: str | Config,
                 weights: str,
                 device: str | None = None,
                 tta: bool = False,
                 score_thr: float | None = None,
                 bg_thr: float | None = None,
                 max_long: int | None = 1024,
                 classes: Sequence[str] | None = None,
                 palette: Sequence[Sequence[int]] | None = None,
                 cfg_options: dict | None = None,
                 fast: bool = True,
                 amp: str | None = None) -> None:
        cfg = _load_config(model)
        check_keys(cfg, 'model')
        checkpoint = load_checkpoint_file(weights)
        meta = trained_meta(checkpoint)
        change_trained_config(cfg, meta, cfg_options)
        init_default_scope(cfg.get('default_scope', 'mmseg'))
        self.cfg = cfg
        self.device = device or get_device()
        self.max_long = max_long
        self.model = load_model(cfg, checkpoint, weights, self.device)
        meta = meta or dataset_meta(innermost_dataset(cfg.get('test_dataloader')))
        self.classes = tuple(classes or meta.get('classes') or ())
        self.palette = (
            palette or meta.get('palette') or voc_palette(len(self.classes)))
        self._check_classes(weights)

        head = self.model.decode_head
        if score_thr is not None and hasattr(head, 'score_thr'):
            head.score_thr = score_thr
        self.score_thr = getattr(head, 'score_thr', None)
        self.bg_thr = bg_thr
        self._head_bg_thr = getattr(head, 'bg_thr', None)

        if amp is not None:
            check_amp(amp, self.device)
        # Held open as long as the inferencer lives.
        self._fast = ExitStack()
        self._fast.enter_context(
            fast_inference(
                self.model.backbone, fold=fast, channels_last=fast, amp=amp))

        self.runner = self.model
        if tta:
            for key in ('tta_model', 'tta_pipeline'):
                if key not in cfg:
                    raise ValueError(f'tta=True needs {key} in the config '
                                     f'{cfg.filename}')
            self.runner = MODELS.build(dict(cfg.tta_model, module=self.model))
            pipeline = cfg.tta_pipeline
        else:
            pipeline = _test_pipeline(cfg)
        self.pipeline = memory_pipeline(pipeline)

    def __call__(self,
                 inputs: ImageLike | Sequence[ImageLike],
                 tags: Sequence[str] | None = None,
                 out_dir: str | None = None,
                 show_progress: bool = True) -> dict | list[dict]:
        """Run the model on images.

        Args:
            inputs (str | np.ndarray | Sequence): An image (a path, or an RGB
                uint8 array ``(H, W, 3)``), or several: a folder, a glob pattern
                or a list.
            tags (Sequence[str], optional): The names of the classes present in
                every image; no other class is shown. Defaults to the classes
                that the model itself finds.
            out_dir (str, optional): Where to write ``masks/<name>.png`` (class
                ids with a palette), ``overlays/<name>.jpg``, and, of a model
                with class scores, ``cams/<name>/<class>.jpg`` and
                ``scores.json``; see :class:`ResultFolder`. Names are paths below
                a given folder. Defaults to None: nothing is written.
            show_progress (bool): Whether to show a bar for several images.

        Returns:
            dict | list[dict]: For one image (not for a folder of one) the dict,
            else a list of: ``name`` (str), ``mask`` (uint8 ``(H, W)``),
            ``overlay`` (RGB uint8 ``(H, W, 3)``: the mask over the image),
            ``scores`` (dict[str, float]: each class's probability), ``seed``
            (:class:`Seed` of the shown classes, at image size) and ``cams``
            (dict[str, RGB uint8]: each shown class's map over the image). The
            last three are None for a model without class scores.

        Raises:
            FileNotFoundError: If an image does not exist.
            ValueError: If a file is not a whole image, a folder is empty, a tag
                is not a class of the model, or ``out_dir`` holds results of
                another image of that name.
        """
        results = list(self.iterate(inputs, tags, out_dir, show_progress))
        single = isinstance(inputs, np.ndarray) or (
            isinstance(inputs, (str, os.PathLike)) and osp.isfile(inputs))
        return results[0] if single else results

    def iterate(self,
                inputs: ImageLike | Sequence[ImageLike],
                tags: Sequence[str] | None = None,
                out_dir: str | None = None,
                show_progress: bool = True) -> Iterator[dict]:
        """Yield the results of :meth:`__call__` one by one, for folders whose
        results do not fit into memory."""
        images = find_images(inputs)
        labels = self._encode_tags(tags)
        if labels is not None and isinstance(self.runner, SegTTAModel):
            raise ValueError('SegTTAModel keeps no merged scores that tags could '
                             'choose from: run without tags or with tta=False')
        folder = None if out_dir is None else ResultFolder(out_dir, images)
        scores = {}
        steps = track(
            images, 'Inference', disable=not show_progress or len(images) == 1)
        try:
            for name, source in steps:
                result = self._infer(name, _load(source), labels)
                if result['scores'] is not None:
                    scores[name] = result['scores']
                if folder is not None:
                    folder.write(result, self.palette)
                yield result
        finally:
            if folder is not None and scores:
                folder.write_scores(scores)

    @torch.no_grad()
    def _infer(self, name: str, image: np.ndarray,
               labels: np.ndarray | None) -> dict:
        size = image.shape[:2]
        sample = predict_image(
            self.runner, self.pipeline, name, self._reduce(image), labels)
        seed: Seed | None = None
        scores: dict[str, float] | None = None
        cams: dict[str, np.ndarray] | None = None
        if 'full_seed' in sample:
            scores = dict(
                zip(self.classes[1:], sample.pred_label_scores.tolist(),
                    strict=True))
            seed = self._select(sample.full_seed, sample.pred_label_scores,
                                labels, size)
            bg_thr = self.bg_thr
            if bg_thr is None and seed.background is None:
                bg_thr = self._head_bg_thr
            mask = seed.to_mask(bg_thr).cpu().numpy()
            cams = {
                self.classes[label]: overlay_cam(image, score.cpu().numpy())
                for label, score in zip(
                    seed.labels.tolist(), seed.scores, strict=True)
            }
        else:
            mask = _masked_argmax(sample, labels).cpu().numpy().astype(np.uint8)
            mask = pil_resize(mask, size, Image.Resampling.NEAREST)
        overlay = draw_mask(image, mask, self.palette)
        shown = [i for i in np.unique(mask) if 0 < i < len(self.classes)]
        overlay = draw_tags(overlay, [self.classes[i] for i in shown],
                            [self.palette[i] for i in shown])
        return dict(
            name=name, mask=mask, overlay=overlay, scores=scores, seed=seed,
            cams=cams)

    def _select(self, seed: Seed, probabilities: Tensor,
                labels: np.ndarray | None, size: tuple[int, int]) -> Seed:
        """The present classes of a seed, at the size of the image."""
        present = present_classes(
            dict(tags=labels), len(self.classes), probabilities,
            self.score_thr)
        keep = present.to(seed.labels.device)[seed.labels - 1]
        scores, background = seed.upsample()[keep], None
        if seed.background is not None:
            full = seed.with_background()
            background, scores = full[0], full[1:][keep]
            background = to_image_size(background[None], size)[0].clamp(0, 1)
        scores = to_image_size(scores, size).clamp(0, 1)
        return Seed(scores, seed.labels[keep], size, background)

    def _reduce(self, image: np.ndarray) -> np.ndarray:
        long = max(image.shape[:2])
        if self.max_long is None or long <= self.max_long:
            return image
        height, width = (
            max(1, round(n * self.max_long / long)) for n in image.shape[:2])
        return pil_resize(image, (height, width), Image.Resampling.BICUBIC)

    def _encode_tags(self, tags: Sequence[str] | None) -> np.ndarray | None:
        if tags is None:
            return None
        if isinstance(tags, str):
            raise TypeError(f'tags must be a list of class names, got {tags!r}')
        unknown = sorted(set(tags) - set(self.classes[1:]))
        if unknown:
            raise ValueError(f'unknown tag {", ".join(unknown)}; the model knows '
                             f'{", ".join(self.classes[1:])}')
        return encode_tags(tags, self.classes)

    def _check_classes(self, weights: str) -> None:
        number = self.model.num_classes
        if not self.classes:
            raise ValueError(f'{weights} and its config name no classes: pass '
                             'classes=, background first')
        if len(self.classes) != number or len(self.palette) != number:
            raise ValueError(
                f'the model has num_classes={number}, but there are '
                f'{len(self.classes)} class names and {len(self.palette)} colours')


def _load_config(model: str | Config) -> Config:
    if isinstance(model, Config):
        return copy.deepcopy(model)
    path = os.fspath(model)
    if osp.isfile(path):
        return load_config(path)
    name = osp.splitext(osp.basename(path))[0]
    try:
        root = project_path('configs')
    except FileNotFoundError:
        root = ''
    matches = glob.glob(osp.join(glob.escape(root), '*', f'{glob.escape(name)}.py'))
    if not root or osp.basename(path) != path or len(matches) != 1:
        raise FileNotFoundError(f'there is no config {path}')
    return load_config(matches[0])


def _test_pipeline(cfg: Config) -> list[dict]:
    pipeline = cfg.get('test_pipeline') or innermost_dataset(
        cfg.get('test_dataloader')).get('pipeline')
    if not pipeline:
        raise ValueError(f'the config {cfg.filename} has no test_pipeline')
    return pipeline


def _masked_argmax(sample, labels: np.ndarray | None) -> Tensor:
    """The best class of each pixel among the present ones, ``(H, W)``."""
    if labels is None:
        mask = sample.pred_sem_seg.data
        return mask.reshape(mask.shape[-2:])
    logits = sample.seg_logits.data
    shown = present_classes(dict(tags=labels), len(logits))
    absent = torch.cat([shown.new_zeros(1), ~shown]).to(logits.device)
    return logits.masked_fill(absent[:, None, None], -torch.inf).argmax(0)


def _load(source: str | np.ndarray) -> np.ndarray:
    """An RGB image from a file or an array."""
    if isinstance(source, str):
        return read_image(source)
    return check_rgb(source)
