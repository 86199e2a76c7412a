# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The class scores of one image, in memory and on disk."""

import io
import math
import os.path as osp
import zipfile
from collections.abc import Sequence
from typing import IO

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mmwsss.utils import atomic_write

STRIDE = 4
MAX_BYTES = 1 << 32
"""Of one array of a seed file: a file of some MB can unpack to many GB."""


def strided_size(size: Sequence[int], stride: int = STRIDE) -> tuple[int, int]:
    """The size of a map that keeps every ``stride``-th pixel of an image."""
    return (size[0] - 1) // stride + 1, (size[1] - 1) // stride + 1


def resize_maps(maps: Tensor, size: Sequence[int],
                align_corners: bool = False) -> Tensor:
    """Bring maps to a size, bilinearly.

    Args:
        maps (Tensor): Of shape (K, h, w) or (N, K, h, w).
        size (Sequence[int]): (H, W).
        align_corners (bool): As in :func:`torch.nn.functional.interpolate`.
            Defaults to False.

    Returns:
        Tensor: Of shape (K, H, W) or (N, K, H, W); the maps themselves where they
        are of that size. The weights of interpolation need not add up to 1 exactly.
    """
    size = tuple(size)
    if tuple(maps.shape[-2:]) == size:
        return maps
    if not maps.numel():
        return maps.new_zeros((*maps.shape[:-2], *size))
    resized = F.interpolate(
        maps if maps.ndim == 4 else maps[None], size=size, mode='bilinear',
        align_corners=align_corners)
    return resized if maps.ndim == 4 else resized[0]


def to_image_size(maps: Tensor, size: Sequence[int],
                  stride: int = STRIDE) -> Tensor:
    """Bring maps to the size of their image, as :func:`resize_maps` does.

    Maps at a stride grow as many times and lose the rows and columns that the image
    does not have, as in IRN.

    Args:
        maps (Tensor): Of shape (K, h, w), or with more dimensions in front.
        size (Sequence[int]): (H, W) of the image.
        stride (int): That of maps of :func:`strided_size`. Defaults to 4.

    Returns:
        Tensor: Of shape (K, H, W).
    """
    size = tuple(size)
    if tuple(maps.shape[-2:]) == size or not maps.numel():
        return resize_maps(maps, size)
    flat = maps.reshape(-1, 1, *maps.shape[-2:]).transpose(0, 1)
    if tuple(maps.shape[-2:]) == strided_size(size, stride):
        flat = F.interpolate(
            flat, scale_factor=stride, mode='bilinear', align_corners=False)
        flat = flat[..., :size[0], :size[1]]
    else:
        flat = resize_maps(flat, size)
    return flat.reshape(*maps.shape[:-2], *size)


class Seed:
    """Scores of the classes present in one image.

    A seed is what a classifier knows about where its classes are: one map in
    [0, 1] for each present foreground class. It says nothing about background;
    a constant threshold, a power of the strongest score, or a map of its own
    does.

    Args:
        scores (Tensor | np.ndarray): Foreground scores of shape (K, h, w) in
            [0, 1]. (h, w) is either the image's size or its stride-4 size
            ``((H - 1) // 4 + 1, (W - 1) // 4 + 1)``. K may be 0: an image
            without a tag.
        labels (Tensor | np.ndarray | Sequence[int]): The K class ids in
            1..254, each once.
        size (Sequence[int]): The image's size (H, W) in pixels.
        background (Tensor | np.ndarray, optional): Background scores of shape
            (h, w) in [0, 1]. Defaults to None.

    Raises:
        ValueError: If a shape, a range or a label is not as above.
    """

    def __init__(self,
                 scores: Tensor | np.ndarray,
                 labels: Tensor | np.ndarray | Sequence[int],
                 size: Sequence[int],
                 background: Tensor | np.ndarray | None = None) -> None:
        scores = torch.as_tensor(scores).float()
        labels = torch.as_tensor(labels, device=scores.device)
        size = tuple(int(length) for length in size)
        if len(size) != 2 or min(size) < 1:
            raise ValueError(f'size must be a positive (H, W), got {size}')
        if scores.ndim != 3:
            raise ValueError('scores must have the shape (K, h, w), got '
                             f'{tuple(scores.shape)}')
        if tuple(scores.shape[1:]) not in (size, strided_size(size)):
            raise ValueError(
                f'scores of an image of size {size} must be of size {size} or, '
                f'at stride {STRIDE}, {strided_size(size)}, got '
                f'{tuple(scores.shape[1:])}')
        if labels.numel() == 0:
            labels = labels.reshape(-1).long()
        if labels.is_floating_point() or labels.shape != scores.shape[:1]:
            raise ValueError(
                f'labels must be {len(scores)} integers, one for each map, '
                f'got {labels.tolist()}')
        labels = labels.long()
        if len(labels) and (labels.min() < 1 or labels.max() > 254
                            or len(labels.unique()) != len(labels)):
            raise ValueError('labels must be different class ids in 1..254, '
                             f'got {labels.tolist()}')
        _check_range('scores', scores)
        if background is not None:
            background = torch.as_tensor(background).to(scores)
            if background.shape != scores.shape[1:]:
                raise ValueError(
                    f'background must have the shape {tuple(scores.shape[1:])}'
                    f' of one map of scores, got {tuple(background.shape)}')
            _check_range('background', background)
        self.scores = scores
        self.labels = labels
        self.size = size
        self.background = background

    def __repr__(self) -> str:
        return (f'Seed(scores={tuple(self.scores.shape)}, '
                f'labels={self.labels.tolist()}, size={self.size}, '
                f'background={self.background is not None})')

    def to(self, *args, **kwargs) -> 'Seed':
        """The seed with its tensors elsewhere; arguments of `Tensor.to`."""
        background = self.background
        if background is not None:
            background = background.to(*args, **kwargs)
        return Seed(
            self.scores.to(*args, **kwargs), self.labels, self.size,
            background)

    def save(self, path: str, dtype: type = np.float16) -> None:
        """Write one npz file without pickled objects, atomically.

        Args:
            path (str): The file to write.
            dtype (type): The type of the scores on disk. Defaults to
                ``np.float16``, whose step below 1 is 1/2048.
        """
        arrays = dict(
            scores=self.scores.cpu().numpy().astype(dtype),
            labels=self.labels.cpu().numpy().astype(np.int64),
            size=np.array(self.size, dtype=np.int64))
        if self.background is not None:
            arrays['background'] = self.background.cpu().numpy().astype(dtype)
        with atomic_write(path, 'wb') as file:
            _write_npz(file, arrays)

    @classmethod
    def load(cls, path: str) -> 'Seed':
        """Read a seed that `save` wrote.

        Raises:
            FileNotFoundError: If ``path`` does not exist.
            ValueError: Naming ``path``, if it is not a whole seed file, or one of
                more than ``MAX_BYTES``.
        """
        if osp.exists(path) and not osp.isfile(path):
            # A pipe would be waited on.
            raise ValueError(f'{path} is no regular file')
        try:
            with zipfile.ZipFile(path) as archive:
                background = None
                if 'background.npy' in archive.namelist():
                    background = _read_array(archive, 'background', 'f')
                return cls(
                    scores=_read_array(archive, 'scores', 'f'),
                    labels=_read_array(archive, 'labels', 'iu'),
                    size=_read_array(archive, 'size', 'iu').tolist(),
                    background=background)
        except FileNotFoundError:
            raise FileNotFoundError(f'there is no seed file {path}') from None
        except PermissionError:
            raise
        # A damaged file surfaces as any of a dozen exceptions.
        except Exception as error:
            raise ValueError(f'{path} is not a seed file: {error}') from error

    def upsample(self) -> Tensor:
        """The scores at the image's size, of shape (K, H, W).

        Stride-4 maps grow by bilinear interpolation (align_corners False) and
        lose the rows and columns that the image does not have, as in IRN.
        """
        return self._grow(self.scores)

    def with_background(self,
                        bg_thr: float | None = None,
                        alpha: float | None = None) -> Tensor:
        r"""The scores at the image's size with background as channel 0.

        The background of `PSA <https://arxiv.org/abs/1803.10464>`_ (Ahn and Kwak,
        CVPR 2018), with ``alpha``:

        .. math::
            M_{bg}(x, y) = \{1 - \max_{c \in C} M_c(x, y)\}^\alpha

        Args:
            bg_thr (float, optional): Background is this constant.
            alpha (float, optional): Background is that of PSA, with this power.
                With neither, background is the seed's own map.

        Returns:
            Tensor: Scores of shape (K + 1, H, W).

        Raises:
            ValueError: If both are given, or neither and the seed has no
                background of its own.
        """
        if bg_thr is not None and alpha is not None:
            raise ValueError('give bg_thr or alpha, not both')
        scores = self.upsample()
        if bg_thr is not None:
            background = scores.new_full((1, *self.size), bg_thr)
        elif alpha is not None:
            if len(scores):
                background = (1 - scores.amax(0, keepdim=True)) ** alpha
            else:
                background = scores.new_ones((1, *self.size))
        elif self.background is not None:
            background = self._grow(self.background[None])
        else:
            raise ValueError('this seed has no background map: give a '
                             'threshold or alpha')
        return torch.cat([background, scores])

    def to_mask(self, bg_thr: float | None = None) -> Tensor:
        """The strongest class of each pixel; ties are background.

        Args:
            bg_thr (float, optional): The score of background. Without it,
                background is the seed's own map.

        Returns:
            Tensor: Class ids of shape (H, W), uint8.
        """
        # As argmax, but ten times faster on a CPU.
        best = self.with_background(bg_thr).max(0).indices
        ids = torch.cat([self.labels.new_zeros(1), self.labels])
        return ids[best].to(torch.uint8)

    def _grow(self, maps: Tensor) -> Tensor:
        if tuple(maps.shape[1:]) == self.size:
            return maps
        return to_image_size(maps, self.size).clamp(0, 1)


def _write_npz(file: IO[bytes], arrays: dict[str, np.ndarray]) -> None:
    """``np.savez_compressed`` without the date: equal seeds, equal bytes."""
    with zipfile.ZipFile(file, 'w') as archive:
        for name, array in arrays.items():
            data = io.BytesIO()
            np.lib.format.write_array(data, array, allow_pickle=False)
            entry = zipfile.ZipInfo(f'{name}.npy', (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data.getvalue())


def _read_array(archive: zipfile.ZipFile, name: str, kinds: str) -> np.ndarray:
    """Read an array after a look at what it would take.

    Args:
        archive (zipfile.ZipFile): Of arrays.
        name (str): The array.
        kinds (str): What ``dtype.kind`` may be; floats become float32.

    Raises:
        ValueError: If it is of another kind, larger than ``MAX_BYTES``, or
            larger than the archive says.
    """
    entry = archive.getinfo(f'{name}.npy')
    with archive.open(entry) as file:
        version = np.lib.format.read_magic(file)
        read_header = (np.lib.format.read_array_header_1_0 if version == (1, 0)
                       else np.lib.format.read_array_header_2_0)
        shape, fortran, dtype = read_header(file)
        count = math.prod(shape)
        if dtype.kind not in kinds:
            raise ValueError(f'{name} holds {dtype}')
        if count * dtype.itemsize > min(MAX_BYTES, entry.file_size):
            raise ValueError(f'{name} of shape {shape} has more than '
                             f'{min(MAX_BYTES, entry.file_size)} bytes')
        array = np.frombuffer(file.read(count * dtype.itemsize), dtype, count)
    array = array.reshape(shape, order='F' if fortran else 'C')
    if dtype.kind == 'f':
        return array.astype(np.float32)
    return array.astype(np.int64, casting='same_kind')


def _check_range(name: str, values: Tensor) -> None:
    if values.numel() == 0:
        return
    low, high = values.aminmax()
    # NaN fails this comparison too.
    if not (low >= 0 and high <= 1):
        raise ValueError(f'{name} must lie in [0, 1], got [{low:.4g}, '
                         f'{high:.4g}]')
