# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""WeCLIP: model, online labels, losses, schedule, views, configs and recipes."""


import numpy as np
import pytest
import torch
import torch.nn.functional as F
from clip_waves import TINY, wave
from mmengine.logging import MessageHub
from mmengine.optim import build_optim_wrapper
from mmseg.registry import METRICS, MODELS, PARAM_SCHEDULERS, TRANSFORMS
from mmseg.structures import SegDataSample
from model_tester import (
    NUM_CLASSES,
    PREPROCESSOR,
    WeakModelTester,
    make_batch,
    strong_batch,
)
from project_configs import ProjectConfigs
from torch.optim import SGD

from mmwsss.ops import class_aware_affinity, pamr
from mmwsss.recipes import Recipe
from mmwsss.structures import ClassMaps
from mmwsss.utils import read_config

pytest.importorskip('open_clip')

from projects.clip_es import convert  # noqa: E402
from projects.clip_es.clip_weights import load_clip  # noqa: E402
from projects.clip_es.text_grad_cam import stretch  # noqa: E402
from projects.weclip import (  # noqa: E402
    PairAffinityLoss,
    PILRandomScale,
    WarmupPolyLR,
    WeCLIPHead,
    WeCLIPTTAModel,
)
from projects.weclip import convert as weclip_convert  # noqa: E402
from projects.weclip.attention_choice import choose_attention  # noqa: E402
from projects.weclip.weclip_head import feature_likeness  # noqa: E402

CONFIGS = ProjectConfigs('weclip')
HEAD = dict(
    type='WeCLIPHead', arch=TINY, num_classes=NUM_CLASSES, num_background=4,
    decoder=dict(channels=16, num_blocks=1, num_heads=2), full_boxes=True,
    static_blocks=3, chosen_blocks=2, choose_from=10, par_iters=2)
MODEL = dict(
    type='WeakSegmentor',
    data_preprocessor=PREPROCESSOR,
    backbone=dict(
        type='CLIPBackbone', arch=TINY, out_indices=(0, 1), attention_layers=2),
    decode_head=HEAD,
    test_cfg=dict(mode='whole'))


def know_words(head):
    """As if convert.py had told it some."""
    head.class_words.copy_(
        F.normalize(wave(head.num_classes - 1, 16, step=.3), dim=1))
    head.background_words[:3] = F.normalize(wave(3, 16, step=.7), dim=1)
    head.grad_cam.logit_scale.fill_(1.5)


class WithWords:
    """A model that knows words, as a checkpoint has them."""

    def build(self, stage=None):
        model = super().build(stage)
        know_words(model.decode_head)
        return model

    def shared(self, stage=None):
        model = super().shared(stage)
        know_words(model.decode_head)
        return model


class TestWeCLIP(WithWords, WeakModelTester):
    model_cfg = MODEL

    def test_losses(self):
        model = self.build().train()
        _, logs = self.losses(model)
        assert set(logs) == {
            'loss', 'decode.loss_balanced_ce', 'decode.loss_aff', 'decode.foreground'}
        assert not model.backbone.training and not model.decode_head.grad_cam.training

    def test_only_the_decoder_learns(self):
        learns = {name for name, p in self.build().named_parameters()
                  if p.requires_grad}
        assert learns and all('.decoder.' in name for name in learns)

    def test_without_words(self):
        """A model that no checkpoint told its words would learn background."""
        model = MODELS.build(MODEL).train()
        with pytest.raises(ValueError, match='knows no words: load the checkpoint'):
            self.losses(model)

    def test_an_image_without_tags(self):
        """Trap 5: it is all background, and no mean of nothing is NaN."""
        model = self.build().train()
        batch = make_batch()
        for sample in batch['data_samples']:
            sample.set_metainfo(dict(tags=np.uint8([1, 0, 0, 0])))
        data = model.data_preprocessor(batch, training=True)
        losses = model(**data, mode='loss')
        assert losses['decode.foreground'] == 0
        loss, _ = model.parse_losses(losses)
        loss.backward()
        assert all(p.grad.isfinite().all() for p in model.parameters()
                   if p.requires_grad)

    def test_a_batch_without_background(self):
        """Trap 5: nor of the background that a batch lacks."""
        loss = self.build().decode_head.loss_decode
        logits = torch.zeros(1, NUM_CLASSES, 4, 4, requires_grad=True)
        value = loss(logits, torch.ones(1, 4, 4, dtype=torch.long))
        value.backward()
        assert value.item() == pytest.approx(.5 * np.log(NUM_CLASSES))
        assert logits.grad.isfinite().all()

    def test_nothing_is_rounded_to_half_precision(self):
        """Trap 6: the published code does so in its decoder, too."""
        model = self.build().eval()
        outputs = []
        for block in model.decode_head.decoder.blocks:
            block.attn.register_forward_hook(lambda m, i, o: outputs.append(o[0]))
        model.class_maps(torch.rand(1, 3, 48, 32))
        one, = outputs
        assert one.dtype == torch.float32
        assert (one.half().float() != one).float().mean() > 0.9

    def test_images_are_needed(self):
        model = self.build()
        answer = model.decode_head(model.extract_feat(torch.rand(2, 3, 32, 32)))
        with pytest.raises(ValueError, match='WeCLIPHead labels images'):
            model.decode_head.loss_by_feat(answer, make_batch()['data_samples'])

    def test_sizes_that_are_no_multiple(self):
        """Trap 7: logits are of whole patches, and stretched over the image."""
        model = self.build().eval()
        answer = model.class_maps(torch.rand(1, 3, 53, 41))
        assert answer.scores.shape == (1, NUM_CLASSES, 3, 2)
        result, = model(torch.rand(1, 3, 53, 41), mode='predict')
        assert result.pred_sem_seg.shape == (53, 41)


class TestFSAE(WithWords, WeakModelTester):
    batch = staticmethod(strong_batch)
    model_cfg = dict(
        MODEL, type='FSAE',
        loss_fsae=dict(type='FSAELoss', threshold=0.3, ring_threshold=0.25))

    def test_losses(self):
        _, logs = self.losses(self.build().train())
        assert {'decode.loss_aff', 'loss_fsae', 'fsae.covered'} <= set(logs)


def built(**options):
    torch.manual_seed(0)
    model = MODELS.build(dict(MODEL, decode_head=dict(HEAD, **options))).eval()
    know_words(model.decode_head)
    return model


@pytest.mark.parametrize('done', [9, 10])
def test_online_labels_against_naive(done):
    """Image by image and class by class; attention is chosen from iteration 10."""
    model, head = (model := built()), model.decode_head
    images = F.interpolate(torch.randn(2, 3, 4, 5), size=(48, 64), mode='bicubic')
    present = torch.tensor([[True, False, True], [False, True, False]])
    answer = model.class_maps(images)
    affinity = feature_likeness(answer.extra['fused']).detach()
    hub = MessageHub.get_current_instance()
    before = hub.get_info('iter', 0)
    hub.update_info('iter', done)
    try:
        labels = head.online_labels(answer, present, affinity)
    finally:
        hub.update_info('iter', before)
    *_, patches, token, attention = model.extract_feat(images)
    for i in range(2):
        seen = head.grad_cam(
            patches[i:i + 1], token[i:i + 1], head.class_words, head.background_words,
            present[i:i + 1])
        blocks = torch.cat([attention[i], seen.attention])[:, 1:, 1:]
        if done < 10:
            mean = (blocks[0] + blocks[1] + blocks[2]) / 3
        else:
            blocks = blocks[-2:]
            distances = [(affinity[i] - one).sum() for one in blocks]
            kept = [one for one, d in zip(blocks, distances, strict=True)
                    if d <= sum(distances) / 2]
            mean = sum(kept) / (len(kept) + 1e-5) * affinity[i]
        scores = []
        for c in present[i].nonzero().flatten():
            low = class_aware_affinity(mean, seen.cams[0, c][None], full_boxes=True)
            scores.append(F.interpolate(
                stretch(low)[None], size=(48, 64), mode='bilinear')[0, 0])
        scores = torch.stack(scores)
        scores = torch.cat([1 - scores.amax(0, keepdim=True), scores])
        best = pamr(scores[None], images[i:i + 1], 2, weights='par')[0].argmax(0)
        ids = torch.cat([torch.zeros(1).long(), present[i].nonzero().flatten() + 1])
        assert (labels[i] != ids[best]).float().mean() < 1e-3
    assert set(labels[0].unique().tolist()) <= {0, 1, 3}


@pytest.mark.parametrize('done', [0, 10])
@pytest.mark.parametrize('num_classes, size', [
    (2, (16, 16)), (2, (16, 80)), (4, (32, 48)), (81, (48, 32))])
def test_odd_images(num_classes, size, done):
    """One class and eighty, tiny images; and a grey one, whose maps are empty."""
    model = built(num_classes=num_classes)
    head = model.decode_head
    images = torch.zeros(2, 3, *size)
    images[1] = torch.randn(3, *size)
    present = torch.ones(2, num_classes - 1, dtype=torch.bool)
    answer = model.class_maps(images)
    affinity = feature_likeness(answer.extra['fused']).detach()
    hub = MessageHub.get_current_instance()
    before = hub.get_info('iter', 0)
    hub.update_info('iter', done)
    try:
        labels = head.online_labels(answer, present, affinity)
    finally:
        hub.update_info('iter', before)
    assert labels.shape == (2, *size)
    # Trap 4: of an empty map nothing is left, and that is no error.
    seen = head.grad_cam(
        answer.extra['patches'], answer.extra['token'], head.class_words,
        head.background_words, present)
    shown = seen.cams.flatten(2).any(dim=2)
    for i in range(2):
        ids = set((shown[i].nonzero().flatten() + 1).tolist())
        assert set(labels[i].unique().tolist()) <= {0, *ids}
    if num_classes == 81:
        assert len(labels[1].unique()) > 2
    losses = model.decode_head.loss_by_feat(answer, [
        SegDataSample(metainfo=dict(tags=np.ones(num_classes, np.uint8)))
        for _ in range(2)])
    assert all(value.isfinite() for value in losses.values())


def test_an_empty_map():
    """Trap 4: its class gets no pixel, the other class of the image does."""
    model = built()
    head = model.decode_head
    images = F.interpolate(torch.randn(1, 3, 4, 5), size=(48, 64), mode='bicubic')
    answer = model.class_maps(images)
    affinity = feature_likeness(answer.extra['fused']).detach()
    make = head.grad_cam.forward

    def without_a_map(*args):
        seen = make(*args)
        seen.cams[:, 0] = 0
        return seen

    head.grad_cam.forward = without_a_map
    labels = head.online_labels(
        answer, torch.tensor([[True, False, True]]), affinity)
    assert labels.unique().tolist() == [0, 3]


def test_choice_of_attention():
    torch.manual_seed(0)
    attention = torch.rand(4, 6, 6).softmax(-1)
    affinity = torch.rand(6, 6)
    # The first block is larger than S as often as smaller: far, but not by its sum.
    attention[0] = affinity + 0.5 * torch.tensor([1., -1.]).repeat(18).view(6, 6)
    mean = attention[:1].sum(0) / (1 + 1e-5) * affinity
    torch.testing.assert_close(choose_attention(attention, affinity), mean)
    kept = attention[1:].sum(0) / (3 + 1e-5) * affinity
    far = attention[:1] * 9
    torch.testing.assert_close(
        choose_attention(torch.cat([far, attention[1:]]), affinity, 'absolute'), kept)
    torch.testing.assert_close(
        choose_attention(attention, affinity * 3, max_norm=True),
        choose_attention(attention, affinity / affinity.amax()))
    for wrong, words in (
            ((attention[0], affinity), r'attention must be of shape \(L, N, N\)'),
            ((attention, affinity[1:]), r'got \(4, 6, 6\) and \(5, 6\)'),
            ((attention, affinity, 'x'), "distance must be one of .* got 'x'")):
        with pytest.raises(ValueError, match=words):
            choose_attention(*wrong)


def naive_pairs(affinity, labels, grid, radius):
    height, width = grid
    total, counts = [0., 0.], [0, 0]
    stride = labels.shape[1] // height, labels.shape[2] // width
    cells = [(y, x) for y in range(height) for x in range(width)]
    for image, label in zip(affinity, labels, strict=True):
        for i, (y, x) in enumerate(cells):
            for j, (v, u) in enumerate(cells):
                a = label[y * stride[0], x * stride[1]]
                b = label[v * stride[0], u * stride[1]]
                if max(abs(y - v), abs(x - u)) > radius or 255 in (a, b):
                    continue
                kind = int(a != b)
                counts[kind] += 1
                total[kind] += image[i, j] if kind else 1 - image[i, j]
    return 0.5 * sum(t / (c + 1) for t, c in zip(total, counts, strict=True))


def test_pair_affinity_loss():
    torch.manual_seed(0)
    grid = (4, 5)
    affinity = torch.rand(2, 20, 20).double().requires_grad_()
    labels = torch.randint(3, (2, 16, 20))
    labels[0, :4, :8] = 255
    for radius in (0, 1, 8):
        loss = PairAffinityLoss(radius, loss_weight=2.)(affinity, labels, grid)
        expected = 2 * naive_pairs(affinity, labels, grid, radius)
        torch.testing.assert_close(loss.double(), expected.double(), rtol=1e-5,
                                   atol=1e-7)
    nothing = PairAffinityLoss()(affinity, torch.full_like(labels, 255), grid)
    nothing.backward()
    assert nothing == 0 and not affinity.grad.any()
    with pytest.raises(ValueError, match='radius must not be negative'):
        PairAffinityLoss(-1)
    with pytest.raises(ValueError, match=r'5 x 5 patches must be .*\(2, 25, 25\)'):
        PairAffinityLoss()(affinity, labels, (5, 5))


def test_head_options():
    for options, words in (
            (dict(static_blocks=4), r'static_blocks must lie in \[1, 3\], got 4'),
            (dict(chosen_blocks=0), r'chosen_blocks must lie in \[1, 3\], got 0'),
            (dict(distance='x'), "distance must be one of .* got 'x'")):
        with pytest.raises(ValueError, match=words):
            MODELS.build(dict(HEAD, **options))


def test_rates():
    """As the published optimizer sets them, step by step."""
    optimizer = SGD([torch.zeros(1, requires_grad=True)], lr=2e-3)
    schedule = WarmupPolyLR(
        optimizer, total=200, warmup=50, begin=0, end=201, by_epoch=False)
    for step in range(200):
        factor = 1 - step / 200
        if step < 50:
            factor = 1 - (1 - step / 50) * (1 - 1e-6)
        assert optimizer.param_groups[0]['lr'] == pytest.approx(2e-3 * factor)
        schedule.step()
    with pytest.raises(ValueError, match='warmup must be within 0 and total=3, got 50'):
        WarmupPolyLR(optimizer, total=3)


def test_random_scale():
    image = np.random.default_rng(0).integers(0, 256, (40, 61, 3), dtype=np.uint8)
    np.random.seed(0)
    sizes = [PILRandomScale()(dict(img=image))['img'].shape for _ in range(50)]
    assert min(size[0] for size in sizes) < 24 and max(s[0] for s in sizes) > 72
    result = PILRandomScale(1.5, 1.5)(dict(img=image))
    assert result['img_shape'] == (60, 91)
    for wrong in ((0, 1), (2, 1)):
        with pytest.raises(ValueError, match='0 < min_scale <= max_scale'):
            PILRandomScale(*wrong)


class TestTTA:

    def view(self, size, tags=None):
        generator = torch.Generator().manual_seed(0)
        image = torch.randint(256, (3, *size), generator=generator).byte()
        sample = SegDataSample(metainfo=dict(
            img_path='a.jpg', ori_shape=size, img_shape=size))
        if tags:
            sample.set_metainfo(dict(tags=np.uint8(tags)))
        return image, sample

    def model(self):
        model = built()
        model.data_preprocessor = MODELS.build(
            dict(PREPROCESSOR, size=None, size_divisor=1))
        return model

    def test_against_naive(self):
        model = self.model()
        merge = WeCLIPTTAModel(model, long_side=96)
        image, sample = self.view((50, 70))
        result = merge.predict_image([image], [sample])
        inputs = (image.float().flip(0) - torch.tensor(
            [123.675, 116.28, 103.53])[:, None, None]) / torch.tensor(
            [58.395, 57.12, 57.375])[:, None, None]
        # int(50 * 96 / 70), int(70 * 96 / 70)
        whole = F.interpolate(inputs[None], size=(68, 96), mode='bilinear')
        found = []
        for view in (whole, F.interpolate(whole, scale_factor=0.75, mode='bilinear')):
            plain = model.class_maps(view).scores
            mirror = model.class_maps(view.flip(-1)).scores.flip(-1)
            found.append(F.interpolate(
                (plain + mirror) / 2, size=(4, 6), mode='bilinear'))
        logits = F.interpolate(sum(found) / 2, size=(50, 70), mode='bilinear')[0]
        torch.testing.assert_close(result.seg_logits.data, logits, rtol=1e-4, atol=1e-4)
        assert torch.equal(result.pred_sem_seg.data[0],
                           result.seg_logits.data.argmax(0))
        seed = result.full_seed
        torch.testing.assert_close(
            torch.cat([seed.background[None], seed.scores]),
            result.seg_logits.data.softmax(0))
        assert result.seed.scores.shape == (3, 13, 18)

    def test_tags_rule_others_out(self):
        merge = WeCLIPTTAModel(self.model(), long_side=64, scales=(1, ), flip=False)
        image, sample = self.view((40, 64), [1, 0, 1, 0])
        result = merge.predict_image([image], [sample])
        assert set(result.pred_sem_seg.data.unique().tolist()) <= {0, 2}
        assert result.full_seed.labels.tolist() == [2]
        torch.testing.assert_close(
            result.full_seed.scores[0] + result.full_seed.background,
            torch.ones(40, 64))

    @pytest.mark.parametrize('size', [(3, 400), (400, 5), (1, 1)])
    def test_narrow_images(self, size):
        merge = WeCLIPTTAModel(self.model(), long_side=64)
        image, sample = self.view(size)
        assert merge.predict_image([image], [sample]).pred_sem_seg.shape == size

    def test_errors(self):
        model = self.model()
        with pytest.raises(ValueError, match='the first one 1, got'):
            WeCLIPTTAModel(model, scales=(0.5, 1))
        image, sample = self.view((40, 64))
        with pytest.raises(ValueError, match='give TestTimeAug one view'):
            WeCLIPTTAModel(model).predict_image([image, image], [sample, sample])


@pytest.mark.parametrize('name', CONFIGS.networks)
def test_config(name):
    cfg = CONFIGS.load(name)
    with torch.device('meta'):
        model = MODELS.build(cfg.model)
        MODELS.build(dict(cfg.tta_model, module=model))
    head = model.decode_head
    classes = dict(voc=21, coco=81, demo=7, folder=3)[name.rpartition('_')[2]]
    assert head.num_classes == classes
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    if 'demo' not in name:
        assert trained == 5_985_045 + 257 * (classes - 21)
        assert head.loss_affinity.radius == 8 and head.par_iters == 20
        assert len(model.backbone.out_indices) == 11
    assert model.backbone.attention_layers >= max(
        head.static_blocks, head.chosen_blocks) - 1
    assert (head.threshold, head.chosen_blocks, head.choose_from) == dict(
        voc=(0.4, 6, 9144), coco=(0.7, 10, 40000), folder=(0.4, 6, 1524),
        demo=(0.4, 3, 30))[name.rpartition('_')[2]]
    assert type(model).__name__.startswith('FSAE') == name.startswith('fsae')
    pipeline = cfg.train_dataloader.dataset.pipeline
    assert ('StrongView' in [step.type for step in pipeline]) == name.startswith('fsae')
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.seed_dataloader):
        for step in loader.dataset.pipeline:
            TRANSFORMS.build(step)
    assert cfg.train_dataloader.batch_size == 4
    assert cfg.seed_dataloader.dataset.pipeline == cfg.tta_pipeline
    assert len(cfg.tta_pipeline[1].transforms) == 2
    tests = cfg.test_evaluator if isinstance(cfg.test_evaluator, list) else [
        cfg.test_evaluator]
    for evaluator in tests:
        METRICS.build(evaluator)
    assert len(tests) == (1 if name.endswith('folder') else 2)
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    PARAM_SCHEDULERS.build(dict(cfg.param_scheduler, optimizer=wrapper))
    assert cfg.param_scheduler.total == cfg.train_cfg.max_iters
    assert wrapper.optimizer.defaults['lr'] == 2e-3
    assert MODELS.build(cfg.label_rule).bg_thr is None
    names, words, background = convert.read_words(cfg)
    assert len(names) == len(words) == classes - 1
    assert len(background) == (23 if 'coco' in name else 25)


class TestConvert:
    """A checkpoint in the names of the published code."""

    @pytest.fixture
    def cfg(self):
        cfg = read_config(CONFIGS.path('weclip_demo'))
        cfg.model.decode_head.decoder.num_blocks = 1
        return cfg

    @pytest.fixture
    def published(self, cfg):
        """Weights as they are published, and those of the model here."""
        clip = load_clip(cfg.arch, 'random')
        torch.manual_seed(1)
        model = MODELS.build(cfg.model)
        theirs = {f'encoder.{key}': value.half() if value.ndim > 1 else value
                  for key, value in clip.state_dict().items() if key != 'attn_mask'}
        model.load_state_dict(convert.make_state_dict(cfg, {
            key.removeprefix('encoder.'): value for key, value in theirs.items()
        })[0], strict=False)
        theirs['encoder.visual.positional_embedding_new'] = torch.zeros(7, 64)
        theirs['par.kernel'] = torch.zeros(8, 1, 3, 3)
        names = {'projections.0.0.': 'decoder_fts_fuse.linears_modulelist.0.proj.',
                 'projections.0.2.': 'decoder_fts_fuse.linears_modulelist.0.proj_2.',
                 'projections.1.0.': 'decoder_fts_fuse.linears_modulelist.1.proj.',
                 'projections.1.2.': 'decoder_fts_fuse.linears_modulelist.1.proj_2.',
                 'projections.2.0.': 'decoder_fts_fuse.linears_modulelist.2.proj.',
                 'projections.2.2.': 'decoder_fts_fuse.linears_modulelist.2.proj_2.',
                 'fuse.': 'decoder_fts_fuse.linear_fuse.',
                 'blocks.0.': 'decoder.transformer.resblocks.0.',
                 'predict.': 'decoder.linear_pred.'}
        for key, value in model.decode_head.decoder.state_dict().items():
            ours, = (name for name in names if key.startswith(name))
            theirs[key.replace(ours, names[ours], 1)] = value
        return theirs, model.state_dict()

    def test_a_file(self, cfg, published, tmp_path, monkeypatch):
        theirs, ours = published
        torch.save({f'module.{key}': value for key, value in theirs.items()},
                   tmp_path / 'src.pth')
        monkeypatch.setattr('sys.argv', ['convert.py', cfg.filename, *map(str, (
            tmp_path / 'src.pth', tmp_path / 'dst.pth')), '--cfg-options',
            'model.decode_head.decoder.num_blocks=1'])
        weclip_convert.main(weclip_convert.parse_args())
        written = torch.load(tmp_path / 'dst.pth')
        assert written['meta']['dataset_meta']['classes'][0] == 'background'
        assert written['state_dict'].keys() == ours.keys()
        for key, value in ours.items():
            assert torch.equal(written['state_dict'][key], value), key

    @pytest.mark.parametrize('key, value, said', [
        ('decoder.linear_pred.weight', None, 'lacks decoder.linear_pred.weight'),
        ('decoder.linear_pred.bias', None, 'decode_head.decoder.predict.bias'),
        ('decoder.linear_pred.bias', torch.zeros(9), 'decoder.predict.bias'),
        ('encoder.ln_final.bias', None, 'CLIP.*ln_final.bias'),
        ('other', torch.zeros(1), 'other')])
    def test_other_weights(self, cfg, published, key, value, said):
        theirs, _ = published
        if value is None:
            del theirs[key]
        else:
            theirs[key] = value
        with pytest.raises(ValueError, match=said):
            weclip_convert.convert(theirs, cfg)


@pytest.mark.parametrize('name', CONFIGS.recipes)
def test_recipe(name, tmp_path):
    recipe = Recipe(CONFIGS.path(name), str(tmp_path))
    steps = {step.name: step.spec for step in recipe.steps}
    names = list(steps)
    start = names.index('clip')
    own = 'folder' in name
    # Of one's own photos, mmwsss predict asks for this model.
    train = 'train_segmentor' if own else 'train_localizer'
    assert names[start + 1] == train
    assert steps[train]['cfg_options']['load_from'] == '{clip}/clip.pth'
    test = steps.get('test_localizer') or steps['predict']
    assert test['tta']
    assert ('train_segmentor' in steps) == (own or 'deeplab' in name or 'irn' in name)
    assert ('affinity_labels' in steps) == ('irn' in name)
    assert ('pseudo_labels' in steps) == ('coco' not in name)


def test_own_images_are_scored_without_their_tags(tmp_path):
    path = CONFIGS.path('weclip_folder_pipeline')
    assert 'test' not in [step.name for step in Recipe(path, str(tmp_path)).steps]
    recipe = Recipe(path, str(tmp_path), dict(test_list='test.txt'))
    assert recipe['test'].spec['cfg_options'] == {
        'test_dataloader.dataset.label_file': ''}
    # The masks of all images, not of those of test alone.
    assert recipe['predict'].spec['cfg_options'] == {
        'test_dataloader.dataset.ann_file': ''}
    value, = (one['value'] for one in recipe['report'].spec['headline'])
    assert value == '{test:mask/mIoU}'


def test_head_answers_class_maps():
    head = WeCLIPHead(**{key: value for key, value in HEAD.items() if key != 'type'})
    maps = [torch.rand(2, 32, 3, 4) for _ in range(2)]
    answer = head((*maps, torch.rand(2, 32), torch.rand(2, 2, 13, 13)))
    assert isinstance(answer, ClassMaps)
    torch.testing.assert_close(
        answer.seed_scores, answer.scores.softmax(dim=1))
