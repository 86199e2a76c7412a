# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Numbers that the published code of CLIP-ES gave on inputs made here.

``clip_es_numbers.json`` holds the probabilities of tags, boxes, numbers of labels, and
of all else its norm and its product with another input.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from clip_waves import ARCH, IMAGES, make_clip, make_image
from mmengine.registry import init_default_scope
from mmseg.datasets import PascalVOCDataset
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from published_numbers import digest

from mmwsss.ops import class_aware_affinity
from mmwsss.ops.class_aware_affinity import box_masks

pytest.importorskip('open_clip')

from projects.clip_es import CLIPESTTAModel, ResizeToPatches  # noqa: E402
from projects.clip_es.clip_weights import encode_words, split_tower  # noqa: E402
from projects.clip_es.prompts import background_prompts, class_prompts  # noqa: E402

NUMBERS = json.loads(Path(__file__).with_name('clip_es_numbers.json').read_text())
CLASSES = PascalVOCDataset.METAINFO['classes']


def close(values, expected, rel=1e-4):
    assert digest(values) == pytest.approx(expected, rel=rel, abs=rel * expected[0])


@pytest.fixture(scope='module')
def model():
    init_default_scope('mmseg')
    prompts = class_prompts('voc', CLASSES[1:])
    clip = make_clip()
    state = split_tower(clip)
    state['decode_head.class_words'] = encode_words(clip, prompts)
    state['decode_head.background_words'] = encode_words(
        clip, background_prompts('voc', prompts))
    model = MODELS.build(dict(
        type='CLIPES',
        data_preprocessor=dict(
            type='SegDataPreProcessor',
            mean=[122.7709383, 116.7460125, 104.09373615],
            std=[68.5005327, 66.6321579, 70.32316305],
            bgr_to_rgb=True,
            size_divisor=1),
        backbone=dict(type='CLIPBackbone', arch=ARCH),
        decode_head=dict(type='CLIPESHead', arch=ARCH, num_classes=21),
        test_cfg=dict(mode='whole')))
    model.load_state_dict(state)
    return model.eval()


def test_words(model):
    close(model.decode_head.class_words, NUMBERS['classes'])
    close(model.decode_head.background_words, NUMBERS['background'])


@pytest.mark.parametrize('name', IMAGES)
def test_image(model, name):
    size, tags = IMAGES[name]
    expected = NUMBERS['photos'][name]
    present = np.array([one in ('background', *tags) for one in CLASSES], np.uint8)
    pixels = ResizeToPatches().transform(
        dict(img=np.ascontiguousarray(make_image(name)[..., ::-1])))['img']
    inputs = torch.from_numpy(pixels).permute(2, 0, 1)
    sample = SegDataSample(metainfo=dict(
        img_path=name, ori_shape=size, img_shape=pixels.shape[:2],
        tags=present))
    batch = model.data_preprocessor(
        dict(inputs=[inputs], data_samples=[sample]), False)
    feats = model.extract_feat(batch['inputs'])
    patches, token, attention = feats
    close(torch.cat([token[:, None], patches.flatten(2).transpose(1, 2)], dim=1),
          expected['tokens'])

    head = model.decode_head
    seen = head.grad_cam(
        patches, token, head.class_words, head.background_words,
        torch.from_numpy(present[None, 1:] > 0))
    mean = torch.cat([attention[0], seen.attention]).mean(dim=0)[1:, 1:]
    close(mean, expected['attention'])
    places = [CLASSES.index(tag) - 1 for tag in tags]
    # Trap 2: of the tags and the background words, and of nothing else.
    logits = head.grad_cam(
        patches, token, head.class_words[places], head.background_words,
        torch.zeros(1, len(places), dtype=torch.bool)).probabilities
    assert logits[0].tolist() == pytest.approx(expected['probabilities'], rel=1e-4)
    cams = seen.cams[0, places]
    for cam, numbers in zip(cams, expected['cams'], strict=True):
        close(cam, numbers)
    assert box_masks(cams).int().tolist() == expected['boxes']
    refined = class_aware_affinity(mean, cams)
    for one, numbers in zip(refined, expected['refined'], strict=True):
        close(one, numbers)

    result, = CLIPESTTAModel(model).test_step(
        dict(inputs=[[inputs]], data_samples=[[sample]]))
    seed = result.full_seed
    assert [CLASSES[i] for i in seed.labels] == sorted(tags, key=CLASSES.index)
    for tag, numbers in zip(tags, expected['full'], strict=True):
        # Half precision there.
        close(seed.scores[seed.labels.tolist().index(CLASSES.index(tag))], numbers,
              rel=1e-3)
    rule = MODELS.build(dict(
        type='ConfidentLabel', alpha=1,
        refiner=dict(type='DenseCRF', preset='deeplab')))
    label = rule(seed, torch.from_numpy(make_image(name)).permute(2, 0, 1)).numpy()
    counts = dict(zip(*np.unique(label, return_counts=True), strict=True))
    for value, count in expected['labels'].items():
        assert counts[int(value)] == pytest.approx(count, abs=label.size / 1000)
