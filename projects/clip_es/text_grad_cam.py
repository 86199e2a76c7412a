# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from typing import NamedTuple

import torch
from torch import Tensor, nn

from .clip_parts import build_tower, freeze, read_arch, run_block

EPS = 1e-7


class TextMaps(NamedTuple):
    """What :class:`TextGradCAM` sees.

    Args:
        cams (Tensor): Maps in [0, 1], of shape (N, C, h, w); 0 for what was not
            asked for.
        probabilities (Tensor): Of all classes beside the background words, of
            shape (N, C).
        attention (Tensor): Of the last block, of shape (N, 1 + h * w, 1 + h * w).
    """

    cams: Tensor
    probabilities: Tensor
    attention: Tensor


class TextGradCAM(nn.Module):
    r"""Where CLIP sees a word: the last block of its image tower, and gradients.

    The mean of the patches that leave the last block (not the class token) is the
    feature of an image. A softmax over its similarities to the classes of the image
    and to words for background makes them compete: what a river also explains is not
    the boat. Grad-CAM follows the probability of a class back to the patches
    :math:`a_i` that enter the last block's attention:

    .. math::
        w_c = \frac 1 N \sum_i \frac {\partial p_c} {\partial a_i}, \quad
        S_c(i) = \mathrm{ReLU}(w_c^\top a_i)

    and each map is stretched to [0, 1]. One backward pass a class and no more: the
    blocks before run once, without gradients. `CLIP is Also an Efficient Segmenter
    <https://arxiv.org/abs/2212.09506>`_ (CLIP-ES, CVPR 2023), Sec. 3.1 and 3.2.

    All is computed in single precision at least: gradients of a probability near 0 or
    1 vanish in half precision.

    Args:
        arch (str | dict): The CLIP, see :func:`read_arch`.
    """

    def __init__(self, arch: str | dict) -> None:
        super().__init__()
        vision = read_arch(arch)['vision_cfg']
        # Of the tower, only the last block is kept.
        tower = build_tower(dict(read_arch(arch), vision_cfg=dict(vision, layers=1)))
        self.block = tower.transformer.resblocks[-1]
        self.ln_post = tower.ln_post
        self.proj = tower.proj
        self.logit_scale = nn.Parameter(torch.zeros(()))
        freeze(self)

    def train(self, mode: bool = True) -> 'TextGradCAM':
        """Stay in evaluation mode: nothing here learns."""
        return super().train(False)

    def forward(self, patches: Tensor, token: Tensor, classes: Tensor,
                background: Tensor, present: Tensor) -> TextMaps:
        """Make the maps of the classes that each image shows.

        Args:
            patches (Tensor): That enter the last block, of shape (N, D, h, w).
            token (Tensor): The class token beside them, of shape (N, D).
            classes (Tensor): Text features of length 1, of shape (C, E).
            background (Tensor): Of words for background, of shape (M, E); rows of
                zeros are left out.
            present (Tensor): The classes that each image shows, and that take part
                in its softmax, bool of shape (N, C).

        Raises:
            ValueError: If a class has no text feature.
        """
        if not classes.any(dim=1).all():
            raise ValueError('the model knows no words: load the checkpoint that '
                             'projects/clip_es/convert.py makes of its config')
        device = patches.device.type
        with torch.enable_grad(), torch.autocast(device, enabled=False):
            tokens = torch.cat([token[:, None], patches.flatten(2).transpose(1, 2)], 1)
            tokens = tokens.to(self.proj.dtype)
            normed = self.block.ln_1(tokens).detach().requires_grad_()
            output, attention = run_block(self.block, tokens, normed)
            feature = self.ln_post(output)[:, 1:].mean(dim=1) @ self.proj
            feature = feature / feature.norm(dim=1, keepdim=True)
            words = torch.cat([classes, background[background.any(dim=1)]])
            logits = self.logit_scale.exp() * feature @ words.to(feature).T
            count = len(classes)
            shown = torch.ones_like(logits, dtype=torch.bool)
            shown[:, :count] = present
            probabilities = logits.masked_fill(~shown, -torch.inf).softmax(dim=1)
            cams = self._cams(probabilities[:, :count], normed, present)
        cams = cams.unflatten(2, patches.shape[2:])
        # Gradients of a class of which CLIP is all but certain are no larger than EPS:
        # what the first stretch made of their map, the second mends.
        return TextMaps(
            stretch(stretch(cams)), logits.detach().softmax(dim=1)[:, :count],
            attention.detach())

    @staticmethod
    def _cams(probabilities: Tensor, normed: Tensor, present: Tensor) -> Tensor:
        """Raw maps of shape (N, C, h * w), as many backward passes as an image has
        classes."""
        cams = normed.new_zeros((*present.shape, normed.shape[1] - 1))
        patches = normed.detach()[:, 1:]
        # The k-th class of all images at once: images know nothing of each other.
        rank = present.cumsum(dim=1) * present
        for k in range(1, int(rank.max()) + 1 if rank.numel() else 0):
            images, classes = (rank == k).nonzero(as_tuple=True)
            gradient, = torch.autograd.grad(
                probabilities[images, classes].sum(), normed, retain_graph=True)
            weights = gradient[images, 1:].mean(dim=1)
            cams[images, classes] = torch.einsum(
                'nd,npd->np', weights, patches[images]).relu()
        return cams


def stretch(maps: Tensor) -> Tensor:
    """Stretch each map of shape (..., h, w) to [0, 1], as CLIP-ES does.

    What divides it is the range + 1e-7; a constant map becomes 0.
    """
    maps = maps - maps.amin(dim=(-2, -1), keepdim=True)
    return maps / (maps.amax(dim=(-2, -1), keepdim=True) + EPS)
