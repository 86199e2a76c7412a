# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from mmcv.cnn import ConvModule, build_norm_layer
from mmengine.model import BaseModule
from torch import Tensor, nn

NORM_CFG = dict(type='BN')


class GlobalCueInjection(BaseModule):
    r"""Tell shallow features what the whole image shows.

    The maxima over space of the deep features, after a 1x1 convolution, scale
    and shift the normalised shallow features, whose receptive field stays as
    small as it was. `Single-Stage Semantic Segmentation from Image Labels
    <https://arxiv.org/abs/2005.08104>`_ (CVPR 2020).

    Single-stage segmentation, Eq. 11, with cues z and b from the deep features:

    .. math::
        x^{(s)*} = \operatorname{ReLU}\left(z^{(a)} \left(
        \frac {x^{(s)} - \mu(x^{(s)})} {\sigma(x^{(s)})}\right) + b^{(a)}\right)

    Args:
        shallow_channels (int): Channels of the shallow features.
        deep_channels (int): Channels of the deep features and of the output.
        shallow_norm (str): ``'batch'``, a batch normalisation without affine
            parameters, as in the paper's code, or ``'instance'``, the
            statistics of each image, as in the paper. Defaults to 'batch'.
        residual_scale (bool): Whether the factor is one plus the cue, as in
            the code, or the cue itself, as in the paper. Defaults to True.
        norm_cfg (dict): The other normalisations. Defaults to BN.

    Raises:
        ValueError: If ``shallow_norm`` is unknown.
    """

    def __init__(self,
                 shallow_channels: int,
                 deep_channels: int,
                 shallow_norm: str = 'batch',
                 residual_scale: bool = True,
                 norm_cfg: dict = NORM_CFG) -> None:
        super().__init__()
        norms = dict(batch=dict(norm_cfg, affine=False), instance=dict(type='IN'))
        if shallow_norm not in norms:
            raise ValueError(f'shallow_norm must be one of {tuple(norms)}, got '
                             f'{shallow_norm!r}')
        self.residual_scale = residual_scale
        self.deep = ConvModule(
            deep_channels, 2 * deep_channels, 1, norm_cfg=norm_cfg)
        self.shallow = nn.Conv2d(shallow_channels, deep_channels, 1, bias=False)
        self.norm = build_norm_layer(norms[shallow_norm], deep_channels)[1]
        self.out = ConvModule(
            deep_channels, deep_channels, 1, norm_cfg=norm_cfg)

    def forward(self, shallow: Tensor, deep: Tensor) -> Tensor:
        """Inject.

        Args:
            shallow (Tensor): Of shape (N, shallow_channels, h, w).
            deep (Tensor): Of shape (N, deep_channels, h', w').

        Returns:
            Tensor: Of shape (N, deep_channels, h, w).
        """
        cues = self.deep(deep).amax(dim=(2, 3), keepdim=True)
        scale, shift = cues.chunk(2, dim=1)
        if self.residual_scale:
            scale = scale + 1
        x = self.norm(self.shallow(shallow))
        return self.out((x * scale + shift).relu())
