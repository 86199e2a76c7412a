# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from mmseg.registry import MODELS

from .weak_segmentor import WeakSegmentor


@MODELS.register_module()
class SEAM(WeakSegmentor):
    """A weak segmentor with SEAM's second view of each image.

    See :class:`SEAMHead`, which compares the views.

    Args:
        *args: Arguments of :class:`WeakSegmentor`.
        second_view (float | tuple[int]): Defaults to 0.3, SEAM's; PPC takes
            (128, 128).
        **kwargs: Arguments of :class:`WeakSegmentor`.
    """

    def __init__(self,
                 *args,
                 second_view: float | tuple[int, int] = 0.3,
                 **kwargs) -> None:
        super().__init__(*args, second_view=second_view, **kwargs)
