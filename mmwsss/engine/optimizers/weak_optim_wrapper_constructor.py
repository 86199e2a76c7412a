# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import copy
import re
from typing import Any

from mmcv.cnn import is_norm
from mmengine.model import is_model_wrapper
from mmengine.optim import OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS, OPTIMIZERS
from mmseg.registry import OPTIM_WRAPPER_CONSTRUCTORS
from torch import nn


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class WeakOptimWrapperConstructor:
    """Group parameters as CAM methods and DeepLab do (x1, x2, x10, x20).

    A parameter's learning rate is the base rate times ``head_mult``, if it is
    outside the backbone, times ``bias_mult``, if it is a bias; its weight decay
    is the base decay times ``bias_decay``, if it is a bias. With
    ``head_mult=10, bias_mult=2, bias_decay=0`` these are the four groups of
    DeepLab v1 and v2; with ``head_mult=10`` the two of IRN. Weight and bias of a
    normalisation layer count as weights, unless ``norm_bias`` is set: then the
    bias counts as a bias, as in 1-stage-wseg. Parameters that need no gradient
    are left out. Groups are as few as there are distinct settings.

    Args:
        optim_wrapper_cfg (dict): The optimizer wrapper, with ``optimizer``.
        paramwise_cfg (dict, optional): All optional: ``head_mult`` (float),
            ``bias_mult`` (float), ``bias_decay`` (float), each 1 by default,
            ``norm_bias`` (bool), False by default, and ``custom``
            (list[dict]): ``pattern``, a regular expression that is searched in
            the parameter's name, ``lr_mult`` and ``decay_mult`` (1 by default),
            which replace the rules above; the first match counts, and
            ``lr_mult=0`` leaves the parameter out.

    Raises:
        ValueError: If a key is unknown, a pattern matches no parameter, or
            nothing is left to train.
    """

    def __init__(self,
                 optim_wrapper_cfg: dict,
                 paramwise_cfg: dict | None = None) -> None:
        self.optim_wrapper_cfg = copy.deepcopy(optim_wrapper_cfg)
        cfg = dict(paramwise_cfg or {})
        self.head_mult = cfg.pop('head_mult', 1.)
        self.bias_mult = cfg.pop('bias_mult', 1.)
        self.bias_decay = cfg.pop('bias_decay', 1.)
        self.norm_bias = cfg.pop('norm_bias', False)
        self.custom = cfg.pop('custom', [])
        if cfg:
            raise ValueError('paramwise_cfg knows head_mult, bias_mult, '
                             'bias_decay, norm_bias and custom, got '
                             f'{sorted(cfg)}')

    def __call__(self, model: Any) -> OptimWrapper:
        """Build the optimizer wrapper of a model.

        Args:
            model (nn.Module): A model whose backbone is named ``backbone``, in a
                distributed wrapper or not.

        Returns:
            OptimWrapper: The wrapper with the grouped parameters.
        """
        if is_model_wrapper(model):
            model = model.module
        wrapper_cfg = copy.deepcopy(self.optim_wrapper_cfg)
        wrapper_cfg.setdefault('type', 'OptimWrapper')
        optimizer_cfg = wrapper_cfg.pop('optimizer')
        lr, decay = optimizer_cfg['lr'], optimizer_cfg.get('weight_decay', 0.)

        groups: dict[tuple, dict] = {}
        for name, parameter, module in self._trained_parameters(model):
            lr_mult, decay_mult = self._multipliers(name, module)
            if lr_mult == 0:
                continue
            group = groups.setdefault(
                (lr_mult, decay_mult),
                dict(params=[], lr=lr * lr_mult,
                     weight_decay=decay * decay_mult))
            group['params'].append(parameter)
        if not groups:
            raise ValueError('nothing to train: no parameter of '
                             f'{type(model).__name__} requires a gradient')
        optimizer = OPTIMIZERS.build(
            dict(optimizer_cfg, params=list(groups.values())))
        return OPTIM_WRAPPERS.build(
            wrapper_cfg, default_args=dict(optimizer=optimizer))

    def _trained_parameters(self, model: nn.Module) -> list[tuple]:
        """Name, parameter and owning module of all that learns."""
        names = [name for name, _ in model.named_parameters()]
        for rule in self.custom:
            if not any(re.search(rule['pattern'], name) for name in names):
                raise ValueError(f'pattern {rule["pattern"]!r} of paramwise_cfg '
                                 'matches no parameter')
        return [(name, parameter,
                 model.get_submodule(name.rpartition('.')[0]))
                for name, parameter in model.named_parameters()
                if parameter.requires_grad]

    def _multipliers(self, name: str, module: nn.Module) -> tuple:
        """Multipliers of learning rate and weight decay of a parameter."""
        for rule in self.custom:
            if re.search(rule['pattern'], name):
                return rule.get('lr_mult', 1.), rule.get('decay_mult', 1.)
        lr_mult = 1. if name.startswith('backbone.') else self.head_mult
        decay_mult = 1.
        if name.endswith('bias') and (self.norm_bias or not is_norm(module)):
            lr_mult *= self.bias_mult
            decay_mult = self.bias_decay
        return lr_mult, decay_mult
