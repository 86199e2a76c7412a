# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence

import torch
from mmengine.logging import MessageHub
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from torch import Tensor, nn

from mmwsss.ops import random_walk
from mmwsss.structures import (
    LabelGrid,
    Seed,
    present_classes,
    resize_maps,
    stack_tags,
    strided_size,
    to_image_size,
)
from mmwsss.utils.renamed import renamed_arguments

from ..refiners.background_crf import BackgroundCRF
from .contour_segmentor import by_image, set_boundary
from .weak_segmentor import WeakSegmentor

BRANCHES = ('contour', 'segmentation')


@MODELS.register_module()
class SANCE(WeakSegmentor):
    r"""Contours and a segmentation that teach each other.

    Two heads share a backbone: ``decode_head`` predicts class boundaries,
    ``auxiliary_head`` classes. Both learn from the labels of CAM seeds and, in
    every iteration, from an *online label*: the segmentation's scores spread by
    a random walk inside the contours predicted at that moment. What it claims
    against a dense CRF of the segmentation, or against a saliency map, is set
    to background first (the label refine module). No gradient passes through
    the online label. All this happens inside the rectangle of the crop that the
    image fills. `Towards Noiseless Object Contours for Weakly Supervised
    Semantic Segmentation <https://doi.org/10.1109/CVPR52688.2022.01635>`_
    (Li et al., CVPR 2022).

    A prediction is a pseudo label: the segmentation's scores of the image's
    classes after a wider walk, against a constant background.

    SANCE, Eqs. 7 and 8: online labels and their refinement, with the propagated
    scores :math:`M^b` of :func:`mmwsss.ops.random_walk`:

    .. math::
        Y^b[i] = \arg\max_c M_c^b[i], \quad Y_i^r = \begin{cases} Y_i^{crf} &
        \text{if } Y_i^{crf} = 0 \\ Y_i^b & \text{otherwise} \end{cases}

    Args:
        *args: Arguments of :class:`WeakSegmentor`. ``decode_head`` is a head
            that predicts boundary logits (N, 1, h, w) from features, such as
            :class:`ContourHead`, and ``auxiliary_head`` one of classes, such
            as :class:`SummedASPPHead`; each has one ``loss_decode``.
        online (Sequence[str]): The branches that learn from online labels, of
            ``'contour'`` and ``'segmentation'`` (Table 3). Defaults to both.
        refined (Sequence[str]): Those of them whose online label is refined
            (Table 4). Defaults to ``('contour', )``.
        refine_by (str): ``'crf'`` or ``'saliency'``. Defaults to ``'crf'``.
        crf (dict): Config of the refiner. Defaults to deeplab-pytorch's dense
            CRF, its spatial deviations divided by 4.
        crf_stride (int): The CRF sees the image reduced by this: 4, the
            stride of the online labels, or 1 (16 times slower, with
            ``scale_factor=1`` in ``crf``). Defaults to 4.
        crf_jobs (int): Worker processes of the CRF, which run while this one
            walks and computes the other losses; 0 runs it here, in between.
            Defaults to 0.
        imports (Sequence[str]): Modules that workers import, beside mmwsss,
            because they register refiners. Defaults to ().
        saliency_thr (float): A saliency up to this is background. Defaults to
            0.5.
        online_walk (dict): Arguments of :func:`mmwsss.ops.random_walk` for
            online labels. Defaults to radius 3, power 10, 256 steps: IRN's code
            squares eight times where the papers write t = 8.
        label_walk (dict): The same for pseudo labels. Defaults to radius 5.
        bg_thr (float): The constant background that propagated scores compete
            with. Defaults to 0.25, as in IRN.
        normalize (bool): Whether the propagated scores of pseudo labels are
            divided by their maximum over the image's foreground classes
            before, as in IRN: they peak far below 1. Defaults to True.
        normalize_online (bool): The same for online labels. The paper divides
            nowhere (Eqs. 6 and 7); divided, they claim every pixel as long as
            the segmentation is fresh. Defaults to False.
        online_weight (float): Factor of the losses on online labels. Defaults
            to 1.
        start_iter (int): Iterations before the losses on online labels begin.
            Defaults to 0, as in the paper.
        **kwargs: Arguments of :class:`WeakSegmentor`. In ``test_cfg``,
            ``walk=False`` leaves out the walk, for contours alone.

    Raises:
        ValueError: If an argument is not as above.
    """

    @renamed_arguments(bg_score='bg_thr')
    def __init__(self,
                 *args,
                 online: Sequence[str] = BRANCHES,
                 refined: Sequence[str] = ('contour', ),
                 refine_by: str = 'crf',
                 crf: dict = dict(
                     type='DenseCRF', preset='deeplab', scale_factor=4),
                 crf_stride: int = 4,
                 crf_jobs: int = 0,
                 imports: Sequence[str] = (),
                 saliency_thr: float = 0.5,
                 online_walk: dict = dict(radius=3, beta=10, steps=256),
                 label_walk: dict = dict(radius=5, beta=10, steps=256),
                 bg_thr: float = 0.25,
                 normalize: bool = True,
                 normalize_online: bool = False,
                 online_weight: float = 1.,
                 start_iter: int = 0,
                 **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if not self.with_auxiliary_head or isinstance(self.auxiliary_head,
                                                      nn.ModuleList):
            raise ValueError('SANCE needs one auxiliary_head: its segmentation')
        for name, branches in (('online', online), ('refined', refined)):
            if not set(branches) <= set(BRANCHES):
                raise ValueError(
                    f'{name} may hold {BRANCHES}, got {tuple(branches)}')
        if refine_by not in ('crf', 'saliency'):
            raise ValueError(
                f"refine_by must be 'crf' or 'saliency', got {refine_by!r}")
        self.online = tuple(online)
        self.refined = tuple(branch for branch in refined if branch in online)
        self.refine_by = refine_by
        self.crf = BackgroundCRF(crf, crf_stride, crf_jobs, imports)
        self.saliency_thr = saliency_thr
        self.online_walk = dict(online_walk)
        self.label_walk = dict(label_walk)
        self.bg_thr = bg_thr
        self.normalize = normalize
        self.normalize_online = normalize_online
        self.online_weight = online_weight
        self.start_iter = start_iter

    def maps(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Compute the raw maps of both branches.

        Args:
            inputs (Tensor): Images of shape (N, 3, H, W).

        Returns:
            tuple[Tensor, Tensor]: Class logits of shape (N, C, h, w), background
            first, and boundary logits of shape (N, 1, h, w), both on the grid
            of the contour branch, a quarter of the image.
        """
        feats = self.extract_feat(inputs)
        contour = self.decode_head(feats)
        logits = resize_maps(
            self.auxiliary_head(feats).float(), contour.shape[2:])
        return logits, contour.float()

    def loss(self, inputs: Tensor, data_samples: list) -> dict[str, Tensor]:
        """Compute the losses of both branches on both kinds of labels.

        Args:
            inputs (Tensor): Images of shape (N, 3, H, W).
            data_samples (list[:obj:`SegDataSample`]): With ``gt_sem_seg`` (the
                labels of CAM seeds, 255 is undecided), ``tags``,
                ``valid_box``, if the image fills only a part of the crop, and
                ``gt_saliency``, if it refines.

        Returns:
            dict[str, Tensor]: Losses by name.

        Raises:
            ValueError: If a sample lacks labels, or its labels do not fit.
        """
        logits, contour = self.maps(inputs)
        grid = LabelGrid(inputs.shape[2:], contour.shape[2:])
        seeds = self._seed_labels(data_samples, grid)
        losses = {
            'contour.loss_seed': self.decode_head.loss_decode(contour, seeds),
            'segmentation.loss_seed':
            self.auxiliary_head.loss_decode(logits, seeds)
        }
        done = MessageHub.get_current_instance().get_info('iter', 0)
        if not self.online or done < self.start_iter:
            return losses
        present = self._present(data_samples, inputs.device)
        boxes = [
            grid.box(sample.metainfo.get('valid_box'))
            for sample in data_samples
        ]
        with torch.no_grad():
            scores = logits.detach().softmax(dim=1)
            if self.refined and self.refine_by == 'crf':
                self.crf.start(scores, self._images(inputs), present, boxes)
            labels = self.online_labels(scores, contour.detach().sigmoid(),
                                        present, boxes)
        # The workers of the CRF go on while these losses are computed.
        for branch in self.online:
            if branch not in self.refined:
                self._add_online(losses, branch, logits, contour, labels)
        if self.refined:
            if self.refine_by == 'saliency':
                background = self._not_salient(data_samples, grid)
            else:
                background = self.crf.finish(labels)
            labels = labels.masked_fill(background & (labels != 255), 0)
        for branch in self.refined:
            self._add_online(losses, branch, logits, contour, labels)
        return losses

    def _add_online(self, losses: dict, branch: str, logits: Tensor,
                    contour: Tensor, labels: Tensor) -> None:
        if branch == 'contour':
            loss = self.decode_head.loss_decode(contour, labels)
        else:
            loss = self.auxiliary_head.loss_decode(logits, labels)
        losses[f'{branch}.loss_online'] = self.online_weight * loss

    @torch.no_grad()
    def online_labels(self, scores: Tensor, boundary: Tensor, present: Tensor,
                      boxes: Sequence[tuple]) -> Tensor:
        """Propagate scores inside contours and take the strongest class.

        Args:
            scores (Tensor): Class probabilities of shape (N, C, h, w).
            boundary (Tensor): Boundary probabilities of shape (N, 1, h, w).
            present (Tensor): Which foreground classes each image shows, bool of
                shape (N, C - 1).
            boxes (Sequence[tuple[slice, slice]]): Rows and columns of each
                input that its image fills. The walk does not leave them.

        Returns:
            Tensor: Class ids of shape (N, h, w), int64; 255 outside the boxes.
        """
        labels = scores.new_full((len(scores), *scores.shape[2:]), 255).long()
        for i, (rows, cols) in enumerate(boxes):
            classes = present[i].nonzero().flatten() + 1
            inside = (slice(i, i + 1), slice(None), rows, cols)
            propagated = propagate(scores[inside][:, classes], boundary[inside],
                                   self.online_walk, self.normalize_online)[0]
            background = propagated.new_full((1, *propagated.shape[1:]),
                                             self.bg_thr)
            best = torch.cat([background, propagated]).argmax(dim=0)
            ids = torch.cat([classes.new_zeros(1), classes])
            labels[i, rows, cols] = ids[best]
        return labels

    def pseudo_seed(self, scores: Tensor, boundary: Tensor,
                    metainfo: dict) -> Seed:
        """Propagate the scores of one image.

        Args:
            scores (Tensor): Class probabilities of shape (C, h, w).
            boundary (Tensor): Boundary probabilities of shape (1, h, w).
            metainfo (dict): With ``ori_shape``, the image's (H, W), and, where
                known, ``tags``; without them no class is ruled out.

        Returns:
            Seed: The propagated scores at stride 4.

        Raises:
            ValueError: If the labels have another number of classes.
        """
        size = tuple(metainfo['ori_shape'][:2])
        present = present_classes(metainfo, len(scores))
        classes = present.nonzero().flatten().to(scores.device) + 1
        maps = torch.cat([scores[classes], boundary])[None]
        maps = resize_maps(maps, strided_size(size)).clamp(0, 1)
        propagated = propagate(maps[:, :-1], maps[:, -1:], self.label_walk,
                               self.normalize)[0]
        return Seed(propagated, classes, size)

    def predict(self,
                inputs: Tensor,
                data_samples: list | None = None) -> list:
        """Predict pseudo labels and contours.

        Args:
            inputs (Tensor): Images of shape (N, 3, H, W).
            data_samples (list[:obj:`SegDataSample`], optional): Their samples.

        Returns:
            list[:obj:`SegDataSample`]: Samples with ``pred_sem_seg`` (1, H, W)
            and ``pred_boundary`` (1, H, W) in [0, 1] at image size and, unless
            the walk is left out, the propagated scores as ``seed``.
        """
        logits, contour = self.maps(inputs)
        maps = torch.cat([logits.softmax(dim=1), contour.sigmoid()], dim=1)
        results = []
        for sample, one in by_image(maps, inputs, data_samples):
            self.fill(sample, one[:-1], one[-1:])
            results.append(sample)
        return results

    def fill(self, sample, scores: Tensor, boundary: Tensor) -> None:
        """Put a prediction into a sample.

        Args:
            sample (:obj:`SegDataSample`): The sample.
            scores (Tensor): Class probabilities of shape (C, h, w).
            boundary (Tensor): Boundary probabilities of shape (1, h, w).
        """
        size = tuple(sample.metainfo['ori_shape'][:2])
        if (self.test_cfg or {}).get('walk', True):
            seed = self.pseudo_seed(scores, boundary, sample.metainfo)
            sample.set_data(dict(seed=seed))
            mask = seed.to_mask(self.bg_thr)[None].long()
        else:
            mask = to_image_size(scores, size).argmax(dim=0, keepdim=True)
        sample.set_data(dict(pred_sem_seg=PixelData(data=mask)))
        set_boundary(sample, boundary)

    def _seed_labels(self, data_samples: list, grid: LabelGrid) -> Tensor:
        """The labels of CAM seeds on the grid, (N, h, w)."""
        labels = []
        for sample in data_samples:
            if 'gt_sem_seg' not in sample:
                raise ValueError(f'{sample.metainfo.get("img_path")} has no '
                                 'labels of CAM seeds (gt_sem_seg)')
            labels.append(grid.sample(sample.gt_sem_seg.data.squeeze(0)))
        return torch.stack(labels)

    def _present(self, data_samples: list, device: torch.device) -> Tensor:
        return stack_tags(
            data_samples, self.auxiliary_head.num_classes, device) > 0

    def _images(self, inputs: Tensor) -> Tensor:
        """The inputs as images: RGB in [0, 255]."""
        preprocessor = self.data_preprocessor
        images = inputs.detach().float()
        if preprocessor._enable_normalize:
            images = images * preprocessor.std + preprocessor.mean
        # Its name in mmengine, or in older versions of mmseg.
        if not getattr(preprocessor, '_channel_conversion',
                       getattr(preprocessor, 'channel_conversion', False)):
            # They stayed in OpenCV's order.
            images = images.flip(1)
        return images.clamp(0, 255)

    def _not_salient(self, data_samples: list, grid: LabelGrid) -> Tensor:
        """Where saliency says background, bool of shape (N, h, w)."""
        maps = []
        for sample in data_samples:
            if 'gt_saliency' not in sample:
                raise ValueError(
                    f'{sample.metainfo.get("img_path")} has no saliency map; '
                    'load it with LoadSaliency')
            saliency = grid.sample(sample.gt_saliency.data.squeeze(0))
            maps.append(saliency.float() / 255 <= self.saliency_thr)
        return torch.stack(maps)


def propagate(scores: Tensor, boundary: Tensor, walk: dict,
              normalize: bool) -> Tensor:
    """Walk, and divide by the maximum if asked to.

    Args:
        scores (Tensor): Scores of the present classes, without background, of
            shape (1, K, h, w).
        boundary (Tensor): Boundary probabilities of shape (1, 1, h, w).
        walk (dict): Arguments of :func:`mmwsss.ops.random_walk`.
        normalize (bool): Whether to divide by the maximum over all classes.

    Returns:
        Tensor: Scores of shape (1, K, h, w) in [0, 1].
    """
    if not scores.numel():
        return scores
    # Rounding makes a walk leave [0, 1] by a hair.
    propagated = random_walk(scores, boundary, **walk).clamp(0, 1)
    return propagated / propagated.amax().clamp(min=1e-5) if normalize else propagated
