# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
from mmengine.logging import MessageHub
from mmseg.registry import MODELS
from torch import Tensor

from mmwsss.models.heads import CAMHead
from mmwsss.ops import class_aware_affinity, pamr
from mmwsss.structures import ClassMaps, present_classes, resize_maps
from projects.clip_es.clip_parts import DEFAULT_ARCH, read_arch
from projects.clip_es.text_grad_cam import TextGradCAM, TextMaps, stretch

from .attention_choice import DISTANCES, choose_attention
from .weclip_decoder import WeCLIPDecoder


@MODELS.register_module()
class WeCLIPHead(CAMHead):
    """Segmentation from image labels on a frozen CLIP, in a single stage.

    A light decoder learns from labels that the same CLIP makes of the same crop:
    maps of CLIP-ES, see :class:`TextGradCAM`, spread by its attention and refined by
    PAR. The likeness of the decoder's features, which learns from these labels, too,
    later chooses the attention that spreads the maps. `Frozen CLIP: A Strong Backbone
    for Weakly Supervised Semantic Segmentation <https://arxiv.org/abs/2406.11189>`_
    (WeCLIP, CVPR 2024).

    Where paper and code differ, the defaults are those of the code; the README lists
    the differences. Tags are the image's, of which the code reads those that its mask
    shows.

    Args:
        num_classes (int): All classes, background included.
        arch (str | dict): The CLIP, that of the backbone. Defaults to
            ``'ViT-B-16-quickgelu'``.
        num_background (int): For how many words for background there is room.
            Defaults to 25.
        decoder (dict): Arguments of :class:`WeCLIPDecoder`.
        threshold (float): See :func:`mmwsss.ops.class_aware_affinity`; 0.4 on VOC,
            0.7 on COCO. Defaults to 0.4.
        full_boxes (bool): See there. Defaults to False.
        static_blocks (int): The last blocks of CLIP, the very last included, whose
            mean attention spreads the maps at first. Defaults to 8.
        chosen_blocks (int): Those of which :func:`choose_attention` chooses; 6 on
            VOC, 10 on COCO. Defaults to 6.
        choose_from (int): The iteration at which that begins. Defaults to 9144, where
            it does on VOC in the published code, which counts images of validation,
            too.
        distance (str): See :func:`choose_attention`. Defaults to 'signed'.
        max_norm (bool): See there. Defaults to False.
        par_iters (int): Iterations of PAR. Defaults to 20.
        loss_decode (dict): The loss of pixels. Defaults to
            ``dict(type='BalancedCrossEntropyLoss', loss_weight=0.5)``.
        loss_affinity (dict): The loss of the decoder's features. Defaults to
            ``dict(type='PairAffinityLoss')``.
        **kwargs: Further arguments of :class:`CAMHead`.

    Raises:
        ValueError: If a number of blocks exceeds those of CLIP.
    """

    needs_images = True

    def __init__(self,
                 num_classes: int,
                 arch: str | dict = DEFAULT_ARCH,
                 num_background: int = 25,
                 decoder: dict = dict(),
                 threshold: float = 0.4,
                 full_boxes: bool = False,
                 static_blocks: int = 8,
                 chosen_blocks: int = 6,
                 choose_from: int = 9144,
                 distance: str = 'signed',
                 max_norm: bool = False,
                 par_iters: int = 20,
                 loss_decode: dict = dict(
                     type='BalancedCrossEntropyLoss', loss_weight=0.5),
                 loss_affinity: dict = dict(type='PairAffinityLoss'),
                 **kwargs) -> None:
        settings = read_arch(arch)
        width, layers = (settings['vision_cfg'][key] for key in ('width', 'layers'))
        for name, blocks in (('static_blocks', static_blocks),
                             ('chosen_blocks', chosen_blocks)):
            if not 1 <= blocks <= layers:
                raise ValueError(f'{name} must lie in [1, {layers}], got {blocks}')
        if distance not in DISTANCES:
            raise ValueError(f'distance must be one of {DISTANCES}, got {distance!r}')
        super().__init__(
            width, num_classes, loss_decode=loss_decode, align_corners=False, **kwargs)
        del self.classifier
        self.decoder = WeCLIPDecoder(width, layers - 1, num_classes, **decoder)
        self.grad_cam = TextGradCAM(arch)
        size = settings['embed_dim']
        self.register_buffer('class_words', torch.zeros(num_classes - 1, size))
        self.register_buffer('background_words', torch.zeros(num_background, size))
        self.threshold = threshold
        self.full_boxes = full_boxes
        self.static_blocks = static_blocks
        self.chosen_blocks = chosen_blocks
        self.choose_from = choose_from
        self.distance = distance
        self.max_norm = max_norm
        self.par_iters = par_iters
        self.loss_affinity = MODELS.build(loss_affinity)
        # Its masks have a background of their own.
        self.bg_thr = None

    def init_weights(self) -> None:
        """Nothing: layers of PyTorch have initialised themselves."""

    def forward(self,
                inputs: tuple[Tensor, ...],
                images: Tensor | None = None) -> ClassMaps:
        """Score every pixel.

        Args:
            inputs (tuple[Tensor]): What :class:`CLIPBackbone` gives, with the patches
                of all its blocks.
            images (Tensor, optional): The images of shape (N, 3, H, W), normalised;
                labels of the training are made of them.

        Returns:
            ClassMaps: Logits at stride 16, of the background, too; for seeds their
            softmax, without gradient. Image-level logits are the means of maps.
        """
        *maps, token, attention = inputs
        logits, fused = self.decoder(maps)
        masks = logits.detach().float().softmax(dim=1)
        return ClassMaps(
            logits[:, 1:],
            logits[:, 1:].mean(dim=(2, 3)),
            background=logits[:, :1],
            seed_maps=masks[:, 1:],
            seed_background=masks[:, :1],
            extra=dict(images=images, patches=maps[-1], token=token,
                       attention=attention, fused=fused))

    def loss_by_feat(self, class_maps: ClassMaps,
                     batch_data_samples: list) -> dict[str, Tensor]:
        """The losses of pixels and of the decoder's features.

        Args:
            class_maps (ClassMaps): What :meth:`forward` returned.
            batch_data_samples (list[:obj:`SegDataSample`]): With ``tags``.

        Returns:
            dict[str, Tensor]: Losses by name and, for the log, ``foreground``, the
            share of pixels with a class.

        Raises:
            ValueError: If a sample lacks image labels or has labels of another
                number of classes, or images are missing.
        """
        images = class_maps.extra['images']
        if images is None:
            raise ValueError('WeCLIPHead labels images: train with '
                             "type='WeakSegmentor'")
        present = self.tags(batch_data_samples) > 0
        fused = class_maps.extra['fused']
        affinity = feature_likeness(fused)
        labels = self.online_labels(class_maps, present, affinity)
        logits = resize_maps(class_maps.scores.float(), labels.shape[1:])
        return {
            self.loss_decode.loss_name: self.loss_decode(logits, labels),
            self.loss_affinity.loss_name:
            self.loss_affinity(affinity, labels, tuple(fused.shape[2:])),
            'foreground': (labels > 0).float().mean(),
        }

    @torch.no_grad()
    def online_labels(self, class_maps: ClassMaps, present: Tensor,
                      affinity: Tensor) -> Tensor:
        """Labels of images by their tags.

        Args:
            class_maps (ClassMaps): What :meth:`forward` returned.
            present (Tensor): The tags, bool of shape (N, C - 1). An image without a
                tag is all background.
            affinity (Tensor): :func:`feature_likeness`, of shape (N, h * w, h * w).

        Returns:
            Tensor: Class ids of shape (N, H, W), at the size of the images.
        """
        extra = class_maps.extra
        seen = self.grad_cam(
            extra['patches'], extra['token'], self.class_words, self.background_words,
            present)
        images = extra['images'].float()
        labels = torch.zeros_like(images[:, 0], dtype=torch.long)
        with torch.autocast(images.device.type, enabled=False):
            for i in present.any(dim=1).nonzero().flatten().tolist():
                attention = self.spreading_attention(
                    extra['attention'][i], seen, i, affinity[i])
                refined = stretch(class_aware_affinity(
                    attention, seen.cams[i, present[i]], self.threshold,
                    full_boxes=self.full_boxes))
                scores = resize_maps(refined, images.shape[2:])
                background = 1 - scores.amax(dim=0, keepdim=True)
                scores = pamr(
                    torch.cat([background, scores])[None], images[i:i + 1],
                    self.par_iters, weights='par')[0]
                ids = torch.cat([present.new_zeros(1, dtype=torch.long),
                                 present[i].nonzero().flatten() + 1])
                labels[i] = ids[scores.argmax(dim=0)]
        return labels

    def spreading_attention(self, attention: Tensor, seen: TextMaps, i: int,
                            affinity: Tensor) -> Tensor:
        """The attention (h * w, h * w) that spreads the maps of the i-th image."""
        blocks = torch.cat([attention.float(), seen.attention[i][None].float()])
        blocks = blocks[:, 1:, 1:]
        done = MessageHub.get_current_instance().get_info('iter', 0)
        if done < self.choose_from:
            return blocks[-self.static_blocks:].mean(dim=0)
        return choose_attention(
            blocks[-self.chosen_blocks:], affinity, self.distance, self.max_norm)

    def shown_classes(self, class_maps: ClassMaps,
                      batch_img_metas: list[dict]) -> Tensor:
        """Which classes a prediction may hold, bool of shape (N, C - 1): those of the
        image's labels; all without."""
        return torch.stack([
            present_classes(meta, self.num_classes) for meta in batch_img_metas
        ]).to(class_maps.maps.device)


def feature_likeness(features: Tensor) -> Tensor:
    """The sigmoid of the products of all pairs of features.

    Args:
        features (Tensor): Of shape (N, D, h, w).

    Returns:
        Tensor: In (0, 1), of shape (N, h * w, h * w).
    """
    flat = features.flatten(2)
    return (flat.transpose(1, 2) @ flat).sigmoid()
