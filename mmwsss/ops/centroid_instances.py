# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
from scipy import ndimage
from torch import Tensor


@torch.no_grad()
def centroid_instances(displacement: Tensor,
                       threshold: float = 2.5,
                       num_iter: int = 300) -> Tensor:
    r"""Group pixels whose displacements lead to the same centroid.

    Every pixel follows the field again and again, to where it is nearly 0;
    pixels that end in the same connected area of weak displacement are one
    instance, those that end in none are one, too. `IRN
    <https://arxiv.org/abs/1904.05044>`_ (Ahn et al., CVPR 2019).

    IRN's refinement of the field :math:`\mathcal D = \mathcal D_0` at pixel x:

    .. math::
        \mathcal D_{u+1}(x) = \mathcal D_u(x) + \mathcal D(x + \mathcal D_u(x))

    Args:
        displacement (Tensor): (dy, dx) in pixels of the field, of shape
            (2, h, w).
        threshold (float): Displacements shorter than this are weak. Defaults to
            2.5.
        num_iter (int): How often pixels move. Defaults to 300.

    Returns:
        Tensor: Instance ids 0, 1, ... of shape (h, w), int64, on the device of
        ``displacement``.

    Raises:
        ValueError: If the shape is not as above.
    """
    if displacement.ndim != 3 or displacement.shape[0] != 2:
        raise ValueError('displacement must have the shape (2, h, w), got '
                         f'{tuple(displacement.shape)}')
    displacement = displacement.float()
    _, height, width = displacement.shape
    rows, cols = torch.meshgrid(
        torch.arange(height, device=displacement.device).float(),
        torch.arange(width, device=displacement.device).float(),
        indexing='ij')
    flat = displacement.flatten(1)
    for _ in range(num_iter):
        top, left = rows.floor(), cols.floor()
        down, right = rows - top, cols - left
        top, left = top.long(), left.long()
        bottom = (top + 1).clamp(max=height - 1)
        further = (left + 1).clamp(max=width - 1)
        move = (
            flat[:, top * width + left] * (1 - down) * (1 - right) +
            flat[:, top * width + further] * (1 - down) * right +
            flat[:, bottom * width + left] * down * (1 - right) +
            flat[:, bottom * width + further] * down * right)
        rows = (rows + move[0]).clamp(0, height - 1)
        cols = (cols + move[1]).clamp(0, width - 1)
    weak = (displacement.norm(dim=0) < threshold).cpu().numpy()
    areas = torch.from_numpy(ndimage.label(weak)[0]).to(displacement.device)
    ends = rows.round().long() * width + cols.round().long()
    return areas.flatten()[ends].unique(return_inverse=True)[1]
