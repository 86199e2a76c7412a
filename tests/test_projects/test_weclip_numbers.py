# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Numbers that the published code of WeCLIP gave on inputs made here.

``weclip_numbers.json`` holds losses, numbers of labels, and of all else its norm and
its product with another input; at the beginning, and once attention is chosen.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from clip_waves import arch_of, crops, fill_decoder, make_clip
from mmengine.logging import MessageHub
from mmengine.registry import init_default_scope
from mmseg.datasets import PascalVOCDataset
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from published_numbers import digest

pytest.importorskip('open_clip')

import projects.weclip  # noqa: E402, F401
from projects.clip_es.clip_weights import encode_words, split_tower  # noqa: E402
from projects.clip_es.prompts import background_prompts, class_prompts  # noqa: E402
from projects.weclip.weclip_head import feature_likeness  # noqa: E402

NUMBERS = json.loads(Path(__file__).with_name('weclip_numbers.json').read_text())
CLASSES = PascalVOCDataset.METAINFO['classes']
TAGS = ([12, 15], [8], [4, 20])
LAYERS = 12


def close(values, expected, rel=2e-4):
    assert digest(values) == pytest.approx(expected, rel=rel, abs=rel * expected[0])


@pytest.fixture(scope='module')
def model():
    init_default_scope('mmseg')
    clip = make_clip(LAYERS)
    state = split_tower(clip)
    prompts = class_prompts('voc', CLASSES[1:])
    state['decode_head.class_words'] = encode_words(clip, prompts)
    state['decode_head.background_words'] = encode_words(
        clip, background_prompts('voc', prompts))
    arch = arch_of(LAYERS)
    model = MODELS.build(dict(
        type='WeakSegmentor',
        backbone=dict(
            type='CLIPBackbone', arch=arch, out_indices=tuple(range(LAYERS - 1))),
        decode_head=dict(
            type='WeCLIPHead', arch=arch, num_classes=21, decoder=dict(channels=32),
            loss_affinity=dict(type='PairAffinityLoss', radius=4)),
        test_cfg=dict(mode='whole')))
    decoder = fill_decoder(model.decode_head.decoder.state_dict())
    state.update({f'decode_head.decoder.{key}': one for key, one in decoder.items()})
    model.load_state_dict(state)
    return model.eval()


def samples():
    return [SegDataSample(metainfo=dict(tags=np.array(
        [i == 0 or i in tags for i in range(21)], np.uint8))) for tags in TAGS]


@pytest.mark.parametrize('mode, done', [('static', 9143), ('chosen', 9144)])
def test_training(model, mode, done):
    expected = NUMBERS[mode]
    hub = MessageHub.get_current_instance()
    before = hub.get_info('iter', 0)
    hub.update_info('iter', done)
    model.zero_grad()
    try:
        losses, answer = model.loss_and_class_maps(crops(), samples())
        present = model.decode_head.tags(samples()) > 0
        affinity = feature_likeness(answer.extra['fused'])
        labels = model.decode_head.online_labels(answer, present, affinity)
    finally:
        hub.update_info('iter', before)
    close(answer.scores, expected['logits'])
    close(affinity, expected['affinity'])
    # Masks first (trap 11).
    counts = dict(zip(*np.unique(labels.numpy(), return_counts=True), strict=True))
    assert counts.keys() == {int(value) for value in expected['labels']}
    for value, count in expected['labels'].items():
        assert counts[int(value)] == pytest.approx(count, abs=labels.numel() / 1000)
    close(labels, expected['label_places'], 5e-3)
    assert losses['decode.loss_balanced_ce'].item() == pytest.approx(
        expected['loss_seg'], rel=1e-3)
    assert losses['decode.loss_aff'].item() == pytest.approx(
        .1 * expected['loss_aff'], rel=1e-3)
    (losses['decode.loss_balanced_ce'] + losses['decode.loss_aff']).backward()
    for part, numbers in expected['gradients'].items():
        module = getattr(model.decode_head.decoder, part)
        gradients = torch.cat([
            one.grad.flatten() for _, one in sorted(module.named_parameters())])
        close(gradients, numbers, 2e-3)
