# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""CLIP-ES: model, words, configs, converter, and what the published code trips over."""

import copy
import logging
import pickle
import re
import sys
import zipfile
from argparse import Namespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from clip_waves import ARCH, TINY, make_clip, make_image, wave
from mmseg.registry import METRICS, MODELS, TRANSFORMS
from PIL import Image
from project_configs import ProjectConfigs

from mmwsss.apis import CAM
from mmwsss.recipes import Recipe
from mmwsss.structures import Seed
from mmwsss.utils import read_config
from mmwsss.utils.entry_point import run_tool

pytest.importorskip('open_clip')

from projects.clip_es import (  # noqa: E402
    CLIPBackbone,
    CLIPESHead,
    CLIPESTTAModel,
    CLIPLocalizer,
    ConfidentLabel,
    ResizeToPatches,
    TextGradCAM,
    benchmark,
    clip_parts,
    clip_weights,
    convert,
    prompts,
)
from projects.clip_es.text_grad_cam import stretch  # noqa: E402

CONFIGS = ProjectConfigs('clip_es')
CLASSES = ['background', 'cat', 'dog', 'owl']


def build(num_classes=4, words=True, **options):
    torch.manual_seed(0)
    model = MODELS.build(dict(
        type='CLIPES',
        data_preprocessor=dict(
            type='SegDataPreProcessor', mean=[120.] * 3, std=[65.] * 3,
            bgr_to_rgb=True, size_divisor=1),
        backbone=dict(type='CLIPBackbone', arch=TINY, attention_layers=2),
        decode_head=dict(
            type='CLIPESHead', arch=TINY, num_classes=num_classes, num_background=5,
            **options),
        test_cfg=dict(mode='whole'))).eval()
    head = model.decode_head
    if words:
        head.class_words.copy_(F.normalize(wave(num_classes - 1, 16, step=.3), dim=1))
        head.background_words[:4] = F.normalize(wave(4, 16, step=.7), dim=1)
    head.grad_cam.logit_scale.fill_(1.5)
    return model


def images(num=2, size=(48, 80), seed=0):
    generator = torch.Generator().manual_seed(seed)
    small = torch.randn(num, 3, 4, 6, generator=generator)
    return F.interpolate(small, size=size, mode='bicubic')


def image_batch(sizes, labels):
    """What a data loader gives CLIPESTTAModel, one view an image."""
    from mmseg.structures import SegDataSample
    rng = np.random.default_rng(0)
    inputs, samples = [], []
    for i, (size, tags) in enumerate(zip(sizes, labels, strict=True)):
        padded = tuple(-(-side // 16) * 16 for side in size)
        inputs.append(torch.from_numpy(
            rng.integers(0, 256, (3, *padded), dtype=np.uint8)))
        meta = dict(img_path=f'{i}.jpg', ori_shape=size, img_shape=padded)
        if tags is not None:
            meta['tags'] = np.array(tags, np.uint8)
        samples.append(SegDataSample(metainfo=meta))
    return dict(inputs=[inputs], data_samples=[samples])


def reference_cam(model, image, present, label):
    """One class of one image, by autograd over the whole last block, naively."""
    feats = model.extract_feat(image[None])
    patches, token, _ = feats
    head = model.decode_head
    block, cam = head.grad_cam.block, head.grad_cam
    tokens = torch.cat([token[:, None], patches.flatten(2).transpose(1, 2)], 1)[0]
    normed = F.layer_norm(tokens, tokens.shape[1:], block.ln_1.weight,
                          block.ln_1.bias).detach().requires_grad_()
    heads, width = block.attn.num_heads, tokens.shape[1]
    qkv = normed @ block.attn.in_proj_weight.T + block.attn.in_proj_bias
    q, k, v = (one.unflatten(1, (heads, -1)) for one in qkv.split(width, dim=1))
    update = []
    for h in range(heads):
        scores = q[:, h] @ k[:, h].T / (width / heads)**.5
        update.append(scores.softmax(dim=1) @ v[:, h])
    x = tokens + block.attn.out_proj(torch.cat(update, dim=1))
    hidden = block.mlp.c_fc(block.ln_2(x))
    x = x + block.mlp.c_proj(hidden * torch.sigmoid(1.702 * hidden))
    feature = cam.ln_post(x)[1:].mean(dim=0) @ cam.proj
    words = torch.cat([head.class_words[present], head.background_words[:4]])
    logits = cam.logit_scale.exp() * words @ (feature / feature.norm())
    place = present.nonzero().flatten().tolist().index(label)
    logits.softmax(dim=0)[place].backward()
    weight = normed.grad[1:].mean(dim=0)
    raw = (normed.detach()[1:] @ weight).relu().reshape(patches.shape[2:])
    raw = raw - raw.min()
    return raw / raw.max()


class TestMaps:

    def test_against_naive(self):
        """Trap 2; and classes of images in one batch do not mix."""
        model = build(refine=False)
        batch = images()
        present = torch.tensor([[True, False, True], [True, True, True]])
        maps = model.decode_head.answer(model.extract_feat(batch), present).maps
        assert not maps[0, 1].any()
        for i, c in present.nonzero().tolist():
            expected = reference_cam(model, batch[i], present[i], c)
            torch.testing.assert_close(maps[i, c], expected, rtol=1e-3, atol=1e-4)

    def test_absent_classes_change_nothing(self):
        """Trap 2: they are not in the softmax."""
        model, batch = build(), images()
        feats = model.extract_feat(batch)
        present = torch.tensor([[True, False, True]] * 2)
        before = model.decode_head.answer(feats, present).maps
        model.decode_head.class_words[1] *= -1
        assert torch.equal(before, model.decode_head.answer(feats, present).maps)

    def test_blank_background_words_take_no_part(self):
        model, batch = build(), images()
        feats = model.extract_feat(batch)
        before = model.decode_head(feats).maps
        head = model.decode_head
        head.background_words = head.background_words[:4].clone()
        torch.testing.assert_close(head(feats).maps, before)

    def test_four_by_nineteen_patches(self):
        """Trap 1: as many tokens as a text has, and the last block runs once."""
        model = build()
        batch = images(1, (64, 304))
        calls = []
        for block in (*model.backbone.resblocks, model.decode_head.grad_cam.block):
            block.ln_2.register_forward_hook(lambda m, i, o: calls.append(m))
        feats = model.extract_feat(batch)
        assert len(calls) == 2 and feats[0].shape == (1, 32, 4, 19)
        model.decode_head.answer(feats, torch.ones(1, 3, dtype=torch.bool))
        # Trap 9: one run of the last block, whatever the number of classes.
        assert len(calls) == 3

    def test_a_backward_pass_a_class(self, monkeypatch):
        """Trap 9: of the last block alone, and one for the k-th class of all."""
        model = build()
        feats = model.extract_feat(images())
        assert not any(one.requires_grad for one in feats)
        gradient, passes = torch.autograd.grad, []
        monkeypatch.setattr(torch.autograd, 'grad', lambda *args, **options: (
            passes.append(options['retain_graph']) or gradient(*args, **options)))
        present = torch.tensor([[True, False, True], [True, True, True]])
        model.decode_head.answer(feats, present)
        assert passes == [True] * 3

    def test_a_sure_class_has_a_map(self):
        """Trap 3: gradients of a probability of all but 1 are tiny, the map is not."""
        model = build(2, refine=False)
        head = model.decode_head
        feats = model.extract_feat(images())
        present = torch.ones(2, 1, dtype=torch.bool)
        expected = head.answer(feats, present).maps
        # Towards a softmax of one class and one far away.
        feature = head.class_words[0].clone()
        head.background_words.zero_()
        head.background_words[0] = -feature
        head.grad_cam.logit_scale.fill_(2.)
        sure = head.answer(feats, present)
        assert sure.maps.amax((2, 3)).min() > 0.99
        assert expected.shape == sure.maps.shape

    def test_stretch(self):
        torch.testing.assert_close(
            stretch(torch.tensor([[[1., 3.], [2., 5.]], [[4., 4.], [4., 4.]]])),
            torch.tensor([[[0., .5], [.25, 1.]], [[0., 0.], [0., 0.]]]))
        # What is as small as the 1e-7, the second time mends.
        tiny = torch.tensor([[[0., 1e-9]]])
        assert stretch(tiny)[0, 0, 1] < 0.02
        assert stretch(stretch(tiny))[0, 0, 1] > 0.999

    def test_an_empty_map(self):
        """Trap 4: a class without a map leaves the image; no error, in the CRF too."""
        model = build()
        result, = model.test_step(flat_batch())
        assert result.full_seed.labels.tolist() == [1, 3]
        rule = ConfidentLabel(
            alpha=1, refiner=dict(type='DenseCRF', preset='deeplab'))
        size = (16, 16)
        label = rule(Seed(torch.zeros(1, *size), [2], size), torch.zeros(3, *size))
        assert not label.any()

    @pytest.mark.parametrize('size', [(16, 16), (16, 96), (17, 40), (90, 33)])
    def test_sizes(self, size):
        model = build(full_boxes=True)
        result = model(images(1, size), mode='predict')[0]
        assert result.full_seed.scores.shape[1:] == size
        assert result.pred_sem_seg.data.shape == (1, *size)

    def test_smaller_than_a_patch(self):
        with pytest.raises(ValueError, match='12 x 40 pixels are smaller than a patch'):
            build().backbone(images(1, (12, 40)))

    def test_one_class_and_eighty(self):
        for num_classes in (2, 81):
            model = build(num_classes)
            maps = model.class_maps(images(1, (32, 32)))
            assert maps.maps.shape == (1, num_classes - 1, 2, 2)
            assert 0 <= maps.maps.min() and maps.maps.max() <= 1
            assert maps.logits.sigmoid().sum() <= 1 + 1e-5

    def test_under_half_precision(self):
        """Trap 3: gradients stay in single precision."""
        model, batch = build(), images()
        expected = model.class_maps(batch).maps
        feats = model.extract_feat(batch)
        with torch.autocast('cpu', torch.bfloat16):
            answer = model.decode_head(feats)
        assert answer.maps.dtype == torch.float32
        torch.testing.assert_close(answer.maps, expected)

    def test_fast_inference(self):
        """As tools/generate_seeds.py runs it, with --amp bf16 and without."""
        from mmwsss.engine import fast_inference
        model, batch = build(), images()
        expected = model.class_maps(batch).maps
        with fast_inference(model.backbone):
            torch.testing.assert_close(
                model.class_maps(batch).maps, expected, rtol=1e-3, atol=1e-3)
        with fast_inference(model.backbone, amp='bf16'):
            feats = model.extract_feat(batch)
            assert all(one.dtype == torch.float32 for one in feats)
            maps = model.decode_head(feats).maps
        assert (maps - expected).abs().mean() < 0.1
        assert not torch.equal(maps, expected)

    def test_nothing_is_rounded_to_half_precision(self):
        """Trap 6: the published code does so with what attention gives."""
        model = build()
        outputs = []
        for block in (*model.backbone.resblocks, model.decode_head.grad_cam.block):
            block.attn.register_forward_hook(lambda m, i, o: outputs.append(o[0]))
        model.class_maps(images())
        assert len(outputs) == 3
        for one in outputs:
            assert one.dtype == torch.float32
            assert (one.half().float() != one).float().mean() > 0.9

    def test_nothing_learns(self):
        model = build().train()
        assert not any(p.requires_grad for p in model.parameters())
        assert not any(m.training for m in model.backbone.modules())
        with pytest.raises(ValueError, match='CLIP-ES trains nothing'):
            model.loss(images(), [])


def flat_batch():
    """An image of one colour, of three classes."""
    batch = image_batch([(30, 40)], [[1, 1, 0, 1]])
    return dict(inputs=[torch.zeros_like(batch['inputs'][0][0])],
                data_samples=batch['data_samples'][0])


class TestPositions:

    def test_against_opencv(self):
        """Bilinear, corners not aligned, without antialiasing."""
        import cv2
        positions = wave(1 + 16, 6, step=.41)
        for grid in ((2, 7), (9, 3), (4, 4)):
            resized = clip_parts.resize_positions(positions, grid)
            square = positions[1:].reshape(4, 4, 6).numpy()
            expected = cv2.resize(square, grid[::-1], interpolation=cv2.INTER_LINEAR)
            assert torch.equal(resized[0], positions[0])
            np.testing.assert_allclose(
                resized[1:].reshape(*grid, 6), expected, rtol=1e-5, atol=1e-6)

    def test_as_open_clip_at_its_own_size(self):
        clip = make_clip()
        backbone = CLIPBackbone(ARCH)
        state = {key.removeprefix('backbone.'): value
                 for key, value in clip_weights.split_tower(clip).items()
                 if key.startswith('backbone.')}
        backbone.load_state_dict(state)
        batch = images(2, (64, 64))
        expected = clip.visual.forward_intermediates(batch, output_fmt='NCHW')
        with torch.no_grad():
            torch.testing.assert_close(
                backbone(batch)[0], expected['image_intermediates'][-2],
                rtol=1e-4, atol=1e-4)


class TestTTA:

    def test_batches_of_one_size(self):
        """A batch of two sizes passes in two groups, and as each image alone."""
        model = build()
        merge = CLIPESTTAModel(model)
        sizes = [(30, 40), (45, 33), (32, 48), (30, 41)]
        labels = [[1, 1, 0, 0], [1, 1, 1, 0], [1, 0, 1, 1], None]
        data = image_batch(sizes, labels)
        calls = []
        model.backbone.register_forward_hook(lambda m, i, o: calls.append(len(i[0])))
        results = merge.test_step(copy.deepcopy(data))
        assert calls == [3, 1]
        for i, (result, size) in enumerate(zip(results, sizes, strict=True)):
            alone = merge.predict_image(
                [data['inputs'][0][i]], [data['data_samples'][0][i]])
            assert result.ori_shape == size
            assert result.full_seed.labels.tolist() == alone.full_seed.labels.tolist()
            torch.testing.assert_close(
                result.full_seed.scores, alone.full_seed.scores, rtol=1e-3, atol=1e-3)
            assert result.seed.scores.shape[1:] == tuple(
                (side - 1) // 4 + 1 for side in size)
            if labels[i]:
                assert result.full_seed.labels.tolist() == list(
                    np.flatnonzero(labels[i])[1:])

    def test_without_labels(self):
        """The probabilities choose, all classes and background words competing."""
        model = build()
        merge = CLIPESTTAModel(model)
        data = image_batch([(32, 32)], [None])
        result, = merge.test_step(copy.deepcopy(data))
        scores = result.pred_label_scores
        assert 0 < scores.sum() < 1
        for level in (scores.min() * .9, scores.max() * 1.1):
            model.decode_head.score_thr = level.item()
            result, = merge.test_step(copy.deepcopy(data))
            assert len(result.full_seed.labels) == int((scores > level).sum())
        assert result.pred_sem_seg.data.eq(0).all()

    def test_flips_are_turned_back(self):
        model = build()
        merge = CLIPESTTAModel(model)
        data = image_batch([(32, 48)], [[1, 1, 0, 1]])
        image, sample = data['inputs'][0][0], data['data_samples'][0][0]
        flipped = sample.clone()
        flipped.set_metainfo(dict(flip=True, flip_direction='horizontal'))
        plain = merge.predict_image([image], [sample]).full_seed.scores
        mirror = merge.predict_image([image.flip(-1)], [sample]).full_seed.scores
        both = merge.predict_image([image, image.flip(-1)], [sample, flipped])
        torch.testing.assert_close(
            both.full_seed.scores, (plain + mirror.flip(-1)) / 2, rtol=1e-4, atol=1e-4)
        with pytest.raises(ValueError, match='every augmentation is flipped'):
            merge.predict_image([image], [flipped])


class TestLocalizer:

    @pytest.fixture(scope='class')
    def localizer(self):
        return CLIPLocalizer('random', TINY, device='cpu', max_long=96)

    def test_any_word(self, localizer):
        """PIL, array and file; other scripts; grey and tiny images."""
        array = make_image('high')
        words = ['Katze,cat', '犬', 'собака']
        seed = localizer(Image.fromarray(array), words)
        assert seed.scores.shape == (3, *array.shape[:2])
        assert seed.labels.tolist() == [1, 2, 3]
        assert torch.equal(seed.scores, localizer(array, words).scores)
        assert localizer(Image.new('L', (3, 5), 90), ['x']).size == (5, 3)
        assert localizer(Image.new('RGBA', (900, 20)), ['x']).size == (20, 900)

    def test_as_the_model(self, localizer):
        """What the pipeline of a config gives for the same words."""
        model = build(full_boxes=True)
        clip = clip_weights.load_clip(TINY, 'random')
        words = ['cat', 'owl']
        state = dict(
            clip_weights.split_tower(clip), **{
                'decode_head.class_words': clip_weights.encode_words(
                    clip, [*words, 'fox']),
                'decode_head.background_words': clip_weights.encode_words(
                    clip, prompts.BACKGROUND[:5])})
        model.load_state_dict(state)
        model.data_preprocessor = MODELS.build(dict(
            type='SegDataPreProcessor',
            mean=[122.7709383, 116.7460125, 104.09373615],
            std=[68.5005327, 66.6321579, 70.32316305], bgr_to_rgb=True,
            size_divisor=1))
        array = make_image('high')
        data = image_batch([array.shape[:2]], [[1, 1, 1, 0]])
        resized = ResizeToPatches(max_long=96)(dict(img=array[..., ::-1].copy()))
        data['inputs'] = [[torch.from_numpy(resized['img']).permute(2, 0, 1)]]
        expected, = CLIPESTTAModel(model).test_step(data)
        background, localizer.background = localizer.background, prompts.BACKGROUND[:5]
        try:
            seed = localizer(array, words)
        finally:
            localizer.background = background
        torch.testing.assert_close(
            seed.scores, expected.full_seed.scores, rtol=1e-3, atol=1e-3)

    def test_as_cam(self, localizer):
        """mmwsss.CAM takes it, for any words or for some that it is made with."""
        array = make_image('high')
        words = ['cat', 'sand,beach', 'owl']
        result = CAM(localizer)(array, classes=words)
        assert result.classes == words and result.labels == [0, 1, 2]
        np.testing.assert_array_equal(
            result.maps, localizer(array, words).scores.numpy())
        assert all(0 < score < 1 for score in result.scores)
        assert sum(result.scores) < 1, 'words for background take part'
        likeliest = CAM(localizer, classes=words)(Image.fromarray(array), top=2)
        order = np.argsort(result.scores)[::-1][:2]
        assert likeliest.labels == order.tolist()
        np.testing.assert_array_equal(likeliest.maps, result.maps[order])
        assert likeliest.overlay(1).shape == array.shape
        with pytest.raises(ValueError, match=r'name the words to look for.*got \[\]'):
            CAM(localizer)(array)
        with pytest.raises(ValueError, match='name the words'):
            CAM(localizer)(array, classes=[3])
        with pytest.raises(ValueError, match="takes no method, got 'gradcam'"):
            CAM(localizer, 'gradcam')

    def test_cam_by_name(self, monkeypatch, tmp_path):
        """'clip' with an architecture, without weights and with a file that is none."""
        made = []
        monkeypatch.setattr('projects.clip_es.CLIPLocalizer', lambda **given: (
            made.append(given) or CLIPLocalizer('random', TINY)))
        found = CAM('clip/ViT-L-14', weights='w.pt', device='cpu', classes='cat')
        assert found(make_image('high')).classes == ['cat']
        CAM('clip', pretrained=False)
        assert made == [dict(arch='ViT-L-14', weights='w.pt', device='cpu'),
                        dict(weights='random')]
        monkeypatch.undo()
        with pytest.raises(ValueError, match='none.pt is neither a file nor'):
            CAM('clip', weights=str(tmp_path / 'none.pt'))
        monkeypatch.setattr('mmwsss.utils.projects.project_path',
                            lambda *_: str(tmp_path / 'configs'))
        with pytest.raises(FileNotFoundError, match='needs a checkout of mmwsss'):
            CAM('clip')

    def test_files(self, localizer, tmp_path):
        path = tmp_path / 'a.png'
        Image.fromarray(make_image('high')).save(path)
        assert torch.equal(localizer(path, ['a']).scores,
                           localizer(make_image('high'), ['a']).scores)
        with pytest.raises(FileNotFoundError, match='nothing.jpg'):
            localizer(str(tmp_path / 'nothing.jpg'), ['a'])

    def test_words_are_encoded_once(self, localizer, monkeypatch):
        localizer(make_image('high'), ['sun', 'moon'])
        monkeypatch.setattr('projects.clip_es.localizer.encode_words', None)
        localizer(make_image('wide'), ['moon', 'sun'])

    def test_a_background_word_that_is_asked_for(self, localizer):
        seen = []
        answer = localizer.head.answer
        localizer.head.answer = lambda *args: seen.append(args[3]) or answer(*args)
        try:
            localizer(make_image('high'), ['Sky,heaven', 'kite'])
        finally:
            del localizer.head.answer
        assert len(seen[0]) == len(prompts.BACKGROUND) - 1

    def test_errors(self, localizer):
        image = make_image('high')
        for words, error, sentence in (
                ('cat', TypeError, "words must be a list of them, got 'cat'"),
                ([], ValueError, r'words must be some, each once, got \[\]'),
                (['a', 'A '], ValueError, 'each once'),
                ([' '], ValueError, 'word is empty'),
                (['x ' * 99], ValueError, r'are \d+ tokens, CLIP reads 75')):
            with pytest.raises(error, match=sentence):
                localizer(image, words)
        with pytest.raises(ValueError, match='RGB uint8 array'):
            localizer(image[..., 0], ['a'])


class TestWords:

    def test_published(self):
        voc = prompts.class_prompts(
            'voc', ['aeroplane', 'bird', 'person', 'tvmonitor'])
        assert voc == ['aeroplane', 'bird avian', 'person with clothes,people,human',
                       'tvmonitor screen']
        assert len(prompts.background_prompts('voc', voc)) == 25
        from mmwsss.datasets.coco import COCO_CLASSES
        coco = prompts.class_prompts('coco', COCO_CLASSES[1:])
        assert len(set(coco)) == 80
        assert {'motorbike', 'sofa', 'dessertspoon', 'necktie'} <= set(coco)
        assert set(prompts.SYNONYMS_COCO) <= set(COCO_CLASSES)
        assert len(prompts.background_prompts('coco', coco)) == 23

    def test_words_that_are_classes_are_no_background(self):
        background = prompts.background_prompts('voc', ['Sky', 'road,street', 'tree x'])
        assert len(background) == 22 and 'tree' in background
        assert prompts.background_prompts(['a', 'b'], ['B']) == ['a']
        with pytest.raises(ValueError, match="one of .*'voc'.* got 'vox'"):
            prompts.background_prompts('vox', [])

    def test_own(self, tmp_path):
        path = tmp_path / 'prompts.txt'
        for content, words in (
                ('cat,kitten\n犬,dog\n', ['cat,kitten', '犬,dog']),
                ('background\ncat\n\n# no word\nhound', ['cat', 'hound'])):
            path.write_text(content, encoding='utf-8')
            assert prompts.class_prompts(
                'prompts.txt', ['cat', 'dog'], str(tmp_path)) == words
        for content, sentence in (
                ('cat\n', r'prompts.txt has words for 1 classes.* there are 2 \(cat'),
                ('cat\n, ,\n', "no word for class 'dog' in ', ,'"),
                ('', 'prompts.txt is empty'), (b'\xff\xfe', 'UTF-16')):
            if isinstance(content, str):
                path.write_text(content)
            else:
                path.write_bytes(content)
            with pytest.raises(ValueError, match=sentence):
                prompts.class_prompts('prompts.txt', ['cat', 'dog'], str(tmp_path))
        with pytest.raises(FileNotFoundError, match='list of words .*nothing'):
            prompts.class_prompts('nothing', ['cat'], str(tmp_path))

    def test_encoding(self):
        clip = make_clip()
        words = clip_weights.encode_words(clip, ['cat', 'собака', 'קוף', '🐱'])
        torch.testing.assert_close(words.norm(dim=1), torch.ones(4))
        assert len({tuple(row.tolist()) for row in words}) == 4
        two = clip_weights.encode_words(clip, ['cat'], ['a {}.', 'the {}.'])
        one = [clip_weights.encode_words(clip, ['cat'], [t])[0]
               for t in ('a {}.', 'the {}.')]
        torch.testing.assert_close(two[0], F.normalize(sum(one), dim=0))
        with pytest.raises(ValueError, match="template 'a cat' must hold {} once"):
            clip_weights.encode_words(clip, ['cat'], ['a cat'])


class TestWeights:

    def test_forms_of_files(self, tmp_path):
        """A state dict, of a data-parallel text tower, safetensors, TorchScript."""
        from safetensors.torch import save_file
        clip = make_clip()
        state = clip.state_dict()
        torch.save(dict(state_dict=state), tmp_path / 'a.pt')
        torch.save({('text.' if not k.startswith(('visual', 'logit')) else '') + k: v
                    for k, v in state.items()}, tmp_path / 'b.pt')
        save_file({k: v.clone() for k, v in state.items()}, tmp_path / 'c.safetensors')
        class Archive(torch.nn.Module):
            pass
        archive = Archive()
        for key, value in state.items():
            place = archive
            *parts, name = key.split('.')
            for part in parts:
                if not hasattr(place, part):
                    place.add_module(part, Archive())
                place = getattr(place, part)
            place.register_buffer(name, value.half())
        archive.register_buffer('input_resolution', torch.tensor(224))
        torch.jit.script(archive).save(tmp_path / 'd.pt')
        for name in ('a.pt', 'b.pt', 'c.safetensors', 'd.pt'):
            loaded = clip_weights.load_clip(ARCH, str(tmp_path / name)).state_dict()
            assert loaded.keys() == state.keys()
            for key, value in state.items():
                expected = value.half().float() if name == 'd.pt' else value
                assert torch.equal(loaded[key], expected), (name, key)

    def test_bad_files(self, tmp_path):
        """Trap 8: nothing in a file runs, and what is left over is named."""
        path = tmp_path / 'a.pt'
        surplus = dict(make_clip().state_dict(),
                       **{'visual.positional_embedding_new': torch.zeros(1)})
        torch.save(surplus, path)
        for content, sentence in (
                (path.read_bytes(), 'a.pt: no use for .*positional_embedding_new'),
                (path.read_bytes()[:999], 'a.pt'), (b'<html>', 'a.pt is a web page')):
            path.write_bytes(content)
            with pytest.raises(ValueError, match=sentence):
                clip_weights.load_clip(ARCH, str(path))
        other = tmp_path / 'b.safetensors'
        other.write_bytes(b'1234567890')
        with pytest.raises(ValueError, match='b.safetensors is no whole safetensors'):
            clip_weights.load_clip(ARCH, str(other))

    def test_an_archive_runs_nothing(self, tmp_path):
        """Of a TorchScript archive only tensors are read, whatever else it says."""
        path = tmp_path / 'a.pt'
        for content, words in (
                (pickle.dumps(dict(a=print)), 'builtins.print is no part of weights'),
                (b'x', 'no whole TorchScript archive')):
            with zipfile.ZipFile(path, 'w') as archive:
                archive.writestr('a/constants.pkl', b'')
                archive.writestr('a/data.pkl', content)
            with pytest.raises(ValueError, match=words):
                clip_weights.load_clip(ARCH, str(path))

    def test_no_weights(self, monkeypatch):
        import open_clip
        with pytest.raises(ValueError, match='nothing.pt is neither a file nor.*'
                                             '--weights FILE'):
            clip_weights.load_clip(TINY, 'nothing.pt')

        log = logging.getLogger('huggingface_hub')
        level = log.level

        def offline(*args, **kwargs):
            # Of its retries.
            assert not log.isEnabledFor(logging.WARNING)
            raise OSError('Network is unreachable')

        monkeypatch.setattr(open_clip, 'download_pretrained', offline)
        # Of a tower of one layer, the rest as the name says.
        config = dict(open_clip.get_model_config('ViT-B-16-quickgelu'))
        config['vision_cfg'] = dict(config['vision_cfg'], layers=2, width=64)
        config['text_cfg'] = dict(config['text_cfg'], layers=1, width=64, heads=1)
        monkeypatch.setattr(clip_parts, 'read_arch', lambda arch: config)
        monkeypatch.setattr(clip_weights, 'read_arch', lambda arch: config)
        with pytest.raises(ValueError, match='cannot be downloaded .OSError.: give'):
            clip_weights.load_clip('ViT-B-16-quickgelu')
        assert log.level == level

    def test_without_open_clip(self, monkeypatch):
        monkeypatch.setitem(sys.modules, 'open_clip', None)
        for make in (lambda: CLIPBackbone(TINY), lambda: TextGradCAM(TINY),
                     lambda: CLIPLocalizer('random', TINY)):
            with pytest.raises(ImportError, match='pip install open_clip_torch'):
                make()

    def test_other_models(self):
        for arch, sentence in (('ViT-Z', "knows no model 'ViT-Z'"),
                               ('RN50', "'RN50' is no CLIP with a plain vision"),
                               ('ViT-B-16-SigLIP', 'ViT-B-16-quickgelu is one')):
            with pytest.raises(ValueError, match=sentence):
                clip_parts.read_arch(arch)


def test_backbone_options():
    backbone = CLIPBackbone(TINY, out_indices=(0, 1), attention_layers=0)
    feats = backbone(images(1, (32, 48)))
    assert [tuple(one.shape) for one in feats] == [
        (1, 32, 2, 3), (1, 32, 2, 3), (1, 32), (1, 0, 7, 7)]
    for wrong in ((0, ), (1, 0), (0, 1, 2), (-1, 1)):
        with pytest.raises(ValueError, match='last block but one of CLIP, which is 1'):
            CLIPBackbone(TINY, out_indices=wrong)
    with pytest.raises(ValueError, match=r'attention_layers must lie in \[0, 2\]'):
        CLIPBackbone(TINY, attention_layers=3)


def test_confident_label():
    """Sure pixels keep their label, others are undecided."""
    torch.manual_seed(0)
    size = (24, 24)
    scores = torch.rand(2, *size)
    seed, image = Seed(scores, [2, 5], size), torch.rand(3, *size) * 255
    crf = dict(type='DenseCRF', preset='deeplab')
    plain = MODELS.build(dict(type='ThresholdLabel', alpha=1, refiner=crf))
    from mmwsss.ops import dense_crf
    probs = dense_crf(
        seed.with_background(alpha=1)[None], image[None], 10, gaussian=(1, 3),
        bilateral=(67, 3, 4))[0]
    label = ConfidentLabel(alpha=1, refiner=crf)(seed, image)
    sure = probs.amax(0) >= 0.95
    assert 0 < sure.sum() < sure.numel()
    assert torch.equal(label[sure], plain(seed, image)[sure])
    assert label[~sure].eq(255).all()
    with pytest.raises(ValueError, match='needs a refiner'):
        ConfidentLabel()
    with pytest.raises(ValueError, match=r'min_confidence must lie in \[0, 1\], got 2'):
        ConfidentLabel(2, refiner=crf)


def test_resize():
    """Trap 7: no strip is lost, for each side grows to whole patches."""
    for size, options, expected in (
            ((375, 500), {}, (384, 512)), ((16, 1), {}, (16, 16)),
            ((3000, 4000), dict(max_long=640), (480, 640)),
            ((10, 4000), dict(max_long=640), (16, 640)),
            ((90, 50), dict(max_long=640, patch_size=14), (98, 56))):
        result = ResizeToPatches(**options)(dict(img=np.zeros((*size, 3), np.uint8)))
        assert result['img'].shape[:2] == expected == result['img_shape']
    image = make_image('wide')
    made = ResizeToPatches()(dict(img=image))['img']
    expected = Image.fromarray(image).resize((128, 80), Image.Resampling.BICUBIC)
    assert np.array_equal(made, np.array(expected))
    with pytest.raises(ValueError, match='1 <= patch_size <= max_long, got 16 and 8'):
        ResizeToPatches(max_long=8)


@pytest.mark.parametrize('name', CONFIGS.networks)
def test_config(name):
    cfg = CONFIGS.load(name)
    with torch.device('meta'):
        model = MODELS.build(cfg.model)
        MODELS.build(dict(cfg.tta_model, module=model))
    if 'demo' not in name:
        assert sum(p.numel() for p in model.parameters()) == 86_192_641
        assert cfg.label_rule.get('min_confidence', 0.95) == 0.95
    head = model.decode_head
    assert head.num_classes == dict(voc=21, coco=81, demo=7, folder=3)[
        name.rpartition('_')[2]]
    assert head.threshold == (0.7 if 'coco' in name else 0.4)
    assert head.full_boxes == (name.endswith(('demo', 'folder')))
    for loader in (cfg.val_dataloader, cfg.test_dataloader, cfg.seed_dataloader):
        for step in loader.dataset.pipeline:
            TRANSFORMS.build(step)
    assert cfg.seed_dataloader.dataset.pipeline == cfg.tta_pipeline
    assert cfg.val_dataloader.dataset.pipeline == cfg.test_pipeline
    views = cfg.tta_pipeline[1].transforms
    assert views[0] == [cfg.test_pipeline[1]] and len(views) == 3
    metric = METRICS.build(cfg.val_evaluator)
    # No third one, as a sweep that goes on would try.
    assert metric.thresholds == [0.381966, 0.5] and not metric.beyond
    assert MODELS.build(cfg.label_rule).alpha == 1
    classes, words, background = convert.read_words(
        CONFIGS.load(name, dict(data_root='nowhere', classes=['owl', 'fox']))
        if '_folder' in name else cfg)
    assert len(classes) == len(words) == head.num_classes - 1
    assert len(background) == (23 if 'coco' in name else 25)


def test_backgrounds_are_thresholds():
    """1 - max and its square against a class, as constants."""
    scores = torch.linspace(0, 1, 1001)
    for power, constant in ((1, 0.5), (2, 0.381966)):
        assert torch.equal(scores > (1 - scores)**power, scores > constant)


@pytest.mark.parametrize('name', CONFIGS.recipes)
def test_recipe(name, tmp_path):
    recipe = Recipe(CONFIGS.path(name), str(tmp_path))
    steps = {step.name: step.spec for step in recipe.steps}
    names = list(steps)
    start = names.index('clip')
    assert names[start:start + 2] == ['clip', 'seeds']
    if 'irn' in name or 'psa' in name:
        # Others refine these seeds, of all images of train.
        assert 'cfg_options' not in steps['seeds']
        assert 'crf_labels' not in steps and 'report' in steps
        if 'irn' in name:
            sweep = steps['score_walk']['cfg_options']
            assert len(sweep['val_evaluator.thresholds']) == 61
    else:
        assert steps['pseudo_labels']['refiner'] == 'config'
        assert ('score_crf_labels' in steps) == ('folder' not in name)
    assert steps['seeds']['checkpoint'] == '{clip}/clip.pth'
    assert 'train_localizer' not in steps
    batch = recipe.shared_options(recipe['seeds']).get('seed_dataloader.batch_size')
    assert batch == (1 if 'mobilenetv1_folder' in name else None)
    assert recipe.protocol['scales'].startswith('1 without flip')
    if 'coco' in name:
        assert steps['seeds']['cfg_options'][
            'seed_dataloader.dataset.indices'] == '{sample}'
        assert 'cfg_options' not in steps['pseudo_labels'] or not steps[
            'pseudo_labels']['cfg_options']


class TestConverter:

    @pytest.fixture
    def own(self, tmp_path):
        (tmp_path / 'classes.txt').write_text('owl\nsky\n')
        config = tmp_path / 'tiny.py'
        config.write_text(f"""
_base_ = {CONFIGS.path('clip_es_vit-b16_folder')!r}
data_root = {str(tmp_path)!r}
model = dict(
    backbone=dict(arch={TINY!r}, attention_layers=2), decode_head=dict(arch={TINY!r}))
for loader in ('train', 'val', 'test', 'seed'):
    globals()[loader + '_dataloader'] = dict(dataset=dict(data_root=data_root))
del loader
""")
        return config

    def run(self, own, *options):
        args = [str(own), str(own.parent / 'clip.pth'), '--weights', 'random',
                *options]
        old, sys.argv = sys.argv, ['convert.py', *args]
        try:
            run_tool(convert.parse_args, convert.main)
        finally:
            sys.argv = old

    def test_own_words(self, own, capsys):
        self.run(own)
        assert 'wrote' in capsys.readouterr().out
        content = torch.load(own.parent / 'clip.pth', weights_only=True)
        assert content['meta']['dataset_meta']['classes'] == [
            'background', 'owl', 'sky']
        state = content['state_dict']
        # The sky is a class now, and no background.
        assert state['decode_head.background_words'].any(dim=1).sum() == 24
        cfg = read_config(str(own))
        MODELS.build(cfg.model).load_state_dict(state, strict=True)
        before = state['decode_head.class_words']
        # The list of classes is one of words.
        self.run(own, '--cfg-options', 'words.names=classes.txt')
        again = torch.load(own.parent / 'clip.pth', weights_only=True)['state_dict']
        assert all(torch.equal(again[key], value) for key, value in state.items())
        (own.parent / 'prompts.txt').write_text('owl,bird of prey\nsky\n')
        self.run(own, '--cfg-options', 'words.names=prompts.txt')
        after = torch.load(own.parent / 'clip.pth', weights_only=True)['state_dict'][
            'decode_head.class_words']
        assert not torch.equal(before[0], after[0]) and torch.equal(before[1], after[1])

    @pytest.mark.parametrize('name, content, options, sentence', [
        ('prompts.txt', 'a\nb\n', (), r'prompts.txt is not read: name it by prompts='),
        ('prompts.txt', 'a\n', ('--cfg-options', 'words.names=prompts.txt'),
         'words for 1 classes'),
        ('x', '', ('--cfg-options', 'words.names=nothing.txt'),
         'nothing.txt does not exist'),
        ('x', '', ('--cfg-options', 'words.background=vox'), "got 'vox'"),
        ('x', '', ('--cfg-options', 'model.decode_head.num_background=3'),
         '24 words for background, but the model has room for 3'),
        ('classes.txt', 'a ' * 80 + '\nb\n', (), r'tiny.py.* tokens, CLIP reads 75'),
        ('x', '', ('--weights', 'nothing.pt'), 'neither a file nor weights'),
    ])
    def test_bad_input(self, own, capsys, name, content, options, sentence):
        (own.parent / name).write_text(content)
        with pytest.raises(SystemExit) as stopped:
            self.run(own, *options)
        error = capsys.readouterr().err
        assert stopped.value.code == 2
        assert re.search(sentence, error), error
        assert error.count('\n') == 1 or 'Warning' in error


@pytest.mark.parametrize('bf16', [False, True])
def test_benchmark(bf16, capsys):
    benchmark.main(Namespace(
        arch=ARCH, size=(48, 64), tags=2, batch=2, repeat=1, device='cpu', bf16=bf16,
        cpu_time=True, images=None))
    said = capsys.readouterr().out
    for part in ('words', 'blocks before the last', 'one photo at a time',
                 'last block, 0 tags', 'last block, 2 tags', 'affinity of 2 tags',
                 'anew for each', 'dense CRF'):
        assert part in said
    assert ('bf16' in said) == bf16


def test_passes_of_images(tmp_path, capsys):
    for i, size in enumerate([(40, 30), (20, 30), (48, 32), (17, 17), (33, 31)]):
        Image.new('L', size).save(tmp_path / f'{i}.png')
    benchmark.main(Namespace(images=str(tmp_path), batch=2))
    assert capsys.readouterr().out.startswith(
        '5 photos, 2 sizes in patches, batches of 2: 5 passes in their own order, 3 by '
        'size; headers read in ')


def test_head_options():
    head = CLIPESHead(4, TINY, threshold=0.7, full_boxes=True)
    assert head.class_words.shape == (3, 16) and head.bg_thr == 0.5
    assert head.background_words.shape == (25, 16)
