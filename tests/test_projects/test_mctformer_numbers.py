# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Numbers that the published code of MCTformer gave on weights and inputs made here.

``mctformer_numbers.json`` holds losses, and of each map, gradient and seed its norm
and its product with another input. Its networks have two blocks as wide as DeiT-Tiny.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from published_numbers import close, wave

from mmwsss.datasets.transforms import PILRescale
from projects.mctformer.convert import convert_tokens

NUMBERS = json.loads(
    Path(__file__).with_name('mctformer_numbers.json').read_text())
CLASSES, WIDTH, GRID = 4, 192, 4
LABELS = torch.tensor([[1., 0, 1, 0], [0, 0, 1, 0]], dtype=torch.float64)
KINDS = ('V1', 'V2', 'Plus')


def official_state(kind):
    """Weights in the authors' names."""
    shapes = {'cls_token': (1, CLASSES, WIDTH)}
    if kind == 'Plus':
        shapes.update(pos_embed_cls=(1, CLASSES, WIDTH),
                      pos_embed_pat=(1, GRID**2, WIDTH),
                      pos_embed=(1, GRID**2 + 1, WIDTH))
    else:
        shapes['pos_embed'] = (1, CLASSES + GRID**2, WIDTH)
    shapes['patch_embed.proj.weight'] = (WIDTH, 3, 16, 16)
    for i in range(2):
        for name, rows, cols in (('attn.qkv', 3 * WIDTH, WIDTH),
                                 ('attn.proj', WIDTH, WIDTH),
                                 ('mlp.fc1', 4 * WIDTH, WIDTH),
                                 ('mlp.fc2', WIDTH, 4 * WIDTH)):
            shapes[f'blocks.{i}.{name}.weight'] = (rows, cols)
        for name in ('norm1', 'norm2'):
            shapes[f'blocks.{i}.{name}.weight'] = (WIDTH, )
    shapes['norm.weight'] = (WIDTH, )
    shapes['head.weight'] = (CLASSES, WIDTH) if kind == 'V1' else (
        CLASSES, WIDTH, 3, 3)
    state = {}
    for i, (name, shape) in enumerate(shapes.items()):
        numbers = wave(*shape, step=.1 + .037 * i) * .15
        state[name] = 1 + numbers if len(shape) == 1 else numbers
        if name.endswith('.weight'):
            state[name.replace('weight', 'bias')] = wave(
                shape[0], step=.2 + .041 * i) * .1
    return state


def image(height, width):
    return 2 * wave(1, 3, height, width, step=.0123)


def pixels():
    """BGR bytes."""
    return ((wave(52, 71, 3, step=.0517) + 1) * 127).round().numpy().astype(np.uint8)


def normalized(rgb):
    """An RGB image (3, H, W) as ImageNet's networks expect it."""
    mean = torch.tensor([.485, .456, .406], dtype=torch.float64).view(3, 1, 1)
    std = torch.tensor([.229, .224, .225], dtype=torch.float64).view(3, 1, 1)
    return (rgb.double() / 255 - mean) / std


def build(kind, **options):
    weights, parts = convert_tokens(official_state(kind))
    backbone = dict(
        parts['backbone'], depth=2, drop_path_rate=0., remainder='drop', **options)
    if kind == 'Plus':
        backbone['position_offset'] = 0.
    head = dict(parts['decode_head'], attention_layers=2 if kind == 'Plus' else 1)
    model = MODELS.build(dict(
        type='WeakSegmentor', backbone=backbone, decode_head=head,
        test_cfg=dict(mode='whole'))).double()
    model.load_state_dict(weights)
    return model


@pytest.mark.parametrize('kind', KINDS)
def test_maps(kind):
    model, expected = build(kind).eval(), NUMBERS[kind]
    head = model.decode_head
    with torch.no_grad():
        tokens = model.extract_feat(image(70, 101))
        answer = head(tokens)
        attention = fused = head.class_attention(tokens)
        if kind != 'V1':
            close(answer.maps.relu(), expected['maps'])
            fused = head.fuse(attention, answer.maps.relu())
        refined = head.refined(fused, tokens)
    close(answer.logits, expected['logits'])
    close(attention, expected['attention'])
    close(tokens[3], expected['affinity'])
    close(refined, expected['refined'])
    # Which min-max normalisation takes for the same.
    torch.testing.assert_close(
        answer.seed_maps, refined - refined.flatten(2).min(2)[0][..., None, None])


@pytest.mark.parametrize('kind', KINDS)
def test_losses_and_gradients(kind):
    model, expected = build(kind).train(), NUMBERS[kind]
    samples = [SegDataSample(metainfo=dict(tags=np.r_[1, row.numpy()]))
               for row in LABELS]
    inputs = torch.cat([image(64, 64), -image(64, 64)])
    losses = model.decode_head.loss(model.extract_feat(inputs), samples, {})
    assert losses.keys() == expected['losses'].keys()
    losses['total'] = sum(losses.values())
    parameters = dict(sorted(model.named_parameters()))
    for name, loss in losses.items():
        if name != 'total':
            assert loss.item() == pytest.approx(expected['losses'][name], rel=1e-9)
        gradients = torch.autograd.grad(
            loss, list(parameters.values()), retain_graph=True, allow_unused=True)
        # What a loss does not reach has none.
        gradients = {
            key: torch.zeros_like(parameter) if gradient is None else gradient
            for (key, parameter), gradient in zip(
                parameters.items(), gradients, strict=True)
        }
        close(torch.cat([one.flatten() for one in gradients.values()]),
              expected['gradients'][name])
    assert gradients.keys() == expected['gradients_of_total'].keys()
    for key, gradient in gradients.items():
        close(gradient, expected['gradients_of_total'][key])


class Preprocessor(torch.nn.Module):
    """In double precision."""

    def forward(self, data, training=False):
        return dict(data, inputs=torch.stack(
            [normalized(one.flip(0)) for one in data['inputs']]))


@pytest.mark.parametrize('kind, scales', [
    ('V1', (1., )), ('V2', (1., )), ('Plus', (1., .75, 1.25))])
def test_seeds(kind, scales):
    labels = np.array([1, 0, 1, 0, 1], np.uint8)
    inputs, samples = [], []
    for scale in scales:
        view = PILRescale(scale)(dict(img=pixels()))['img']
        view = torch.from_numpy(view).permute(2, 0, 1)
        for flip in (False, True):
            inputs.append([view.flip(-1) if flip else view])
            samples.append([SegDataSample(metainfo=dict(
                img_path='a.png', ori_shape=(52, 71), tags=labels,
                flip=flip, flip_direction='horizontal'))])
    model = build(kind).eval()
    model.data_preprocessor = Preprocessor()
    merge = MODELS.build(dict(
        type='CAMTTAModel', module=model, min_max=True, eps=1e-8, size_divisor=1))
    result, = merge.test_step(dict(inputs=inputs, data_samples=samples))
    assert result.full_seed.labels.tolist() == [2, 4]
    close(result.full_seed.scores, NUMBERS[kind]['seeds'], rel=1e-5)
