# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import os
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from mmengine.device import get_device
from PIL import Image, ImageOps
from torch import Tensor

from mmwsss.datasets.image_io import read_image
from mmwsss.structures import Seed, resize_maps

from .clip_backbone import CLIPBackbone
from .clip_es_head import CLIPESHead
from .clip_parts import DEFAULT_ARCH, read_arch
from .clip_weights import encode_words, load_clip, split_tower
from .prompts import TEMPLATES, background_prompts
from .resize_to_patches import patches_size

MEAN = (122.7709383, 116.7460125, 104.09373615)
STD = (68.5005327, 66.6321579, 70.32316305)
"""Of CLIP's images, RGB in [0, 255]."""

ImageLike = str | os.PathLike | Image.Image | np.ndarray


class CLIPLocalizer:
    """An image and words in, a map of each word out; nothing is trained.

    The localizer of CLIP-ES, see :class:`CLIPESHead`, for any words. Words compete
    with each other and with words for background, so ask for all that an image shows
    at once. Text features are kept: a word is encoded once.

    Args:
        weights (str): See :func:`load_clip`. Defaults to ``'openai'``.
        arch (str | dict): The CLIP, see :func:`read_arch`. Defaults to
            ``'ViT-B-16-quickgelu'``.
        background (str | Iterable[str]): Words for background, see
            :func:`background_prompts`; those that are asked for are left out.
            Defaults to ``'voc'``, 25 of them.
        templates (Sequence[str]): What words are put into. Defaults to that of
            CLIP-ES.
        threshold (float): See :func:`mmwsss.ops.class_aware_affinity`. Defaults to
            0.4.
        full_boxes (bool): See there. Defaults to True, so that small images have
            maps, too; published: False.
        max_long (int, optional): Images with a longer side are reduced to it.
            Defaults to 640.
        device (str, optional): Defaults to the accelerator, if there is one.

    Example:
        >>> localizer = CLIPLocalizer('ViT-B-16.pt')
        >>> seed = localizer(Image.open('photo.jpg'), ['dog', 'sand,beach'])
        >>> seed.scores.shape   # (2, height, width), in [0, 1]
    """

    def __init__(self,
                 weights: str = 'openai',
                 arch: str | dict = DEFAULT_ARCH,
                 background: str | Iterable[str] = 'voc',
                 templates: Sequence[str] = TEMPLATES,
                 threshold: float = 0.4,
                 full_boxes: bool = True,
                 max_long: int | None = 640,
                 device: str | None = None) -> None:
        self.device = device or get_device()
        self.background = (
            background if isinstance(background, str) else tuple(background))
        self.templates = tuple(templates)
        self.max_long = max_long
        self._clip = load_clip(arch, weights)
        layers = read_arch(arch)['vision_cfg']['layers']
        self.backbone = CLIPBackbone(arch, attention_layers=min(7, layers - 1))
        self.head = CLIPESHead(
            2, arch, threshold=threshold, full_boxes=full_boxes)
        weights_by_part = split_tower(self._clip)
        for part, module in (('backbone.', self.backbone),
                             ('decode_head.grad_cam.', self.head.grad_cam)):
            module.load_state_dict({
                key.removeprefix(part): value
                for key, value in weights_by_part.items() if key.startswith(part)
            })
        # Their tower is done with.
        self._clip.visual = None
        self._clip.to(self.device)
        self.backbone.to(self.device).eval()
        self.head.to(self.device).eval()
        self._features: dict[str, Tensor] = {}

    def __call__(self, image: ImageLike, words: Sequence[str]) -> Seed:
        """Locate words in an image.

        Args:
            image (str | PIL.Image.Image | np.ndarray): A file, an image, or an RGB
                array of shape (H, W, 3) of bytes.
            words (Sequence[str]): What to locate; synonyms of one thing in one
                string, separated by commas.

        Returns:
            Seed: A map of each word at the size of the image; labels count from 1 in
            the order of the words.

        Raises:
            TypeError: If ``words`` is one string.
            ValueError: If there are no words, one comes twice, or the image is none.
        """
        maps, _ = self.locate(image, words)
        height, width = maps.shape[1:]
        return Seed(maps, list(range(1, len(words) + 1)), (height, width))

    @torch.no_grad()
    def locate(self, image: ImageLike,
               words: Sequence[str]) -> tuple[Tensor, Tensor]:
        """As a call, with how sure CLIP is that the image shows each word.

        Args:
            image (str | PIL.Image.Image | np.ndarray): See there.
            words (Sequence[str]): See there.

        Returns:
            tuple[Tensor, Tensor]: Maps (K, H, W) in [0, 1], and probabilities (K, )
            among all words, those for background included.
        """
        if isinstance(words, str):
            raise TypeError(f'words must be a list of them, got {words!r}')
        if not words or len({word.strip().casefold() for word in words}) < len(words):
            raise ValueError(f'words must be some, each once, got {list(words)}')
        rgb = _to_rgb(image)
        size = rgb.height, rgb.width
        inputs = self.prepare(rgb)
        classes = self._encoded(words)
        background = self._encoded(background_prompts(self.background, words))
        present = torch.ones((1, len(words)), dtype=torch.bool, device=self.device)
        answer = self.head.answer(
            self.backbone(inputs), present, classes, background)
        maps = resize_maps(answer.maps, size)
        return maps[0].clamp(0, 1), answer.logits[0].sigmoid()

    def prepare(self, image: Image.Image) -> Tensor:
        """An RGB image as the model takes it, of shape (1, 3, H, W)."""
        height, width = patches_size(
            (image.height, image.width), self.backbone.patch_size, self.max_long)
        resized = image.resize((width, height), Image.Resampling.BICUBIC)
        values = torch.from_numpy(np.array(resized)).permute(2, 0, 1).float()
        mean, std = (torch.tensor(one)[:, None, None] for one in (MEAN, STD))
        return ((values - mean) / std)[None].to(self.device)

    def _encoded(self, words: Sequence[str]) -> Tensor:
        """Text features (P, E) of words, from memory where they are known."""
        new = [word for word in words if word not in self._features]
        if new:
            self._features.update(zip(
                new, encode_words(self._clip, new, self.templates), strict=True))
        if not words:
            return self.head.background_words[:0]
        return torch.stack([self._features[word] for word in words])


def _to_rgb(image: ImageLike) -> Image.Image:
    """An image in RGB, turned as its camera says."""
    if isinstance(image, Image.Image):
        return ImageOps.exif_transpose(image).convert('RGB')
    if isinstance(image, np.ndarray):
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise ValueError('an image must be an RGB uint8 array (H, W, 3), got '
                             f'{image.dtype} {image.shape}')
        return Image.fromarray(image)
    return Image.fromarray(read_image(os.fspath(image)))
