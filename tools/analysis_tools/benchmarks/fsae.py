# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""A training step with FSAE: its base, and its base on twice the images.

One more forward and backward pass, of the strong views, is all that FSAE should
cost. Every pixel is labelled (threshold 0), the most that the loss can cost.
"""

import copy
from collections.abc import Iterator
from functools import partial

from mmseg.registry import MODELS
from torch import nn

from .timing import alternate, ratio_row
from .training import random_batch, random_model, training_config

IMAGES = 2
# Of larger crops a step of the paper's network takes a minute.
LARGEST = 320


def compare(args) -> Iterator[dict]:
    """Steps on random images and strong views."""
    cfg = training_config(args, ('fsae', 'fsae_cam_demo.py'))
    settings = random_model(cfg)
    settings['loss_fsae']['threshold'] = 0.
    settings['start_iter'] = 0
    ours = MODELS.build(copy.deepcopy(settings)).to(args.device).train()
    for key in ('base', 'loss_fsae', 'start_iter', 'stages'):
        settings.pop(key, None)
    base = MODELS.build(dict(settings, type='WeakSegmentor'))
    base = base.to(args.device).train()
    classes = base.num_classes
    for size in args.sizes:
        if size > LARGEST:
            continue
        batch = random_batch(IMAGES, size, classes)
        seconds, _ = alternate({
            'base': partial(step, base, batch),
            'with FSAE': partial(step, ours, batch),
            'base, twice the images': partial(
                step, base, random_batch(2 * IMAGES, size, classes)),
        }, args.runs, args.clock)
        for reference, other in (('with FSAE', 'base'),
                                 ('with FSAE', 'base, twice the images')):
            yield ratio_row(
                'fsae', f'{IMAGES} crops of {size} x {size}', seconds, reference,
                other, size=size, classes=classes)


def step(model: nn.Module, batch: dict) -> None:
    """One step without the optimizer's."""
    data = model.data_preprocessor(batch, training=True)
    loss, _ = model.parse_losses(model(**data, mode='loss'))
    loss.backward()
    model.zero_grad(set_to_none=True)
