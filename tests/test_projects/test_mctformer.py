# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""MCTformer: its networks, what it makes of tokens, and its converter."""

import math
import sys

import pytest
import timm
import torch
import torch.nn.functional as F
from memory import peak_memory
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from model_tester import (
    BACKBONE,
    NUM_CLASSES,
    PREPROCESSOR,
    WeakModelTester,
    make_batch,
    strong_batch,
)
from torch import nn

from mmwsss.utils.checkpoint import load_weights
from projects.mctformer import (
    ClassTokenContrastLoss,
    ClassTokenViT,
    DilatedPairHead,
    MaxTTAModel,
    MCTformerPlusHead,
    MCTformerV1Head,
    convert,
)
from projects.mctformer.class_token_vit import attend
from projects.mctformer.token_maps import (
    from_zero,
    rank_weighted_pool,
    refine_maps,
    rescale_positions,
)

VIT = dict(
    num_classes=NUM_CLASSES,
    model_name='deit_tiny_patch16_224',
    img_size=32,
    patch_size=8,
    embed_dim=24,
    depth=2,
    num_heads=2)
HEAD = dict(in_channels=24, num_classes=NUM_CLASSES, attention_layers=1)
MODEL = dict(
    type='WeakSegmentor',
    data_preprocessor=PREPROCESSOR,
    backbone=dict(VIT, type='ClassTokenViT'),
    test_cfg=dict(mode='whole'))


class TestV1(WeakModelTester):
    model_cfg = dict(MODEL, decode_head=dict(HEAD, type='MCTformerV1Head'))

    def test_losses(self):
        _, logs = self.losses(self.build().train())
        assert set(logs) == {'loss', 'decode.loss_cls'}

    def test_maps_are_attention(self):
        model = self.build().eval()
        with torch.no_grad():
            tokens = model.extract_feat(torch.rand(2, 3, 32, 48))
            answer = model.decode_head(tokens)
        patches, classes, attention, affinity = tokens
        assert patches.shape == (2, 24, 4, 6)
        torch.testing.assert_close(answer.maps, attention[-1])
        refined = torch.einsum('nij,ncj->nci', affinity, attention[-1].flatten(2))
        torch.testing.assert_close(
            answer.seed_maps.flatten(2), refined - refined.min(2, keepdim=True)[0])
        torch.testing.assert_close(answer.logits, classes[-1].mean(2))
        # Rows of attention, summed over two blocks, lack what goes to class tokens.
        assert (affinity.sum(2) < 2).all() and (affinity > 0).all()

    def test_no_maps_in_training(self):
        model = self.build().train()
        with pytest.raises(ValueError, match='in evaluation only'):
            model.class_maps(torch.rand(1, 3, 32, 32))

    def test_fsae_has_nothing_to_compare(self):
        with pytest.raises(ValueError, match='MCTformerV1Head has no class maps'):
            MODELS.build(dict(self.model_cfg, type='FSAE'))

    def test_without_layers(self):
        with pytest.raises(ValueError, match='attention_layers must be positive'):
            MCTformerV1Head(8, NUM_CLASSES, attention_layers=0)


class TestV2(WeakModelTester):
    model_cfg = dict(MODEL, decode_head=dict(HEAD, type='MCTformerV2Head'))

    def test_losses(self):
        _, logs = self.losses(self.build().train())
        assert set(logs) == {'loss', 'decode.loss_cls', 'decode.loss_patch'}

    def test_seeds_are_attention_on_maps(self):
        model = self.build().eval()
        with torch.no_grad():
            tokens = model.extract_feat(torch.rand(1, 3, 32, 32))
            answer = model.decode_head(tokens)
        fused = tokens[2][-1] * answer.maps.clamp(min=0)
        torch.testing.assert_close(
            answer.seed_maps, from_zero(refine_maps(fused, tokens[3])))
        model.decode_head.refine = False
        torch.testing.assert_close(
            model.decode_head(tokens).seed_maps, from_zero(fused))

    def test_training_looks_at_no_attention(self, monkeypatch):
        model = self.build().train()
        monkeypatch.setattr(
            'projects.mctformer.class_token_vit.head_means', None)
        answer = model.class_maps(torch.rand(1, 3, 32, 32))
        assert answer.maps_of_seeds is answer.maps

    @pytest.mark.parametrize('depth, num_heads', [(2, 2), (6, 6)])
    def test_memory_of_attention(self, depth, num_heads):
        """Neither blocks nor heads keep theirs: a few matrices N x N at a time."""
        backbone = ClassTokenViT(
            **{**VIT, 'depth': depth, 'num_heads': num_heads}).eval()
        image = torch.rand(1, 3, 256, 256)
        matrix = 4 * (32 * 32 + NUM_CLASSES - 1)**2
        with torch.no_grad():
            assert peak_memory(lambda: backbone(image)) < 7 * matrix


class TestPlus(WeakModelTester):
    model_cfg = dict(
        MODEL,
        backbone=dict(MODEL['backbone'], position_offset=0.),
        decode_head=dict(HEAD, type='MCTformerPlusHead', attention_layers=2))

    def test_losses(self):
        _, logs = self.losses(self.build().train())
        assert set(logs) == {'loss', 'decode.loss_cls', 'decode.loss_patch',
                             'decode.loss_contrast'}

    def test_seeds(self):
        model = self.build().eval()
        with torch.no_grad():
            tokens = model.extract_feat(torch.rand(1, 3, 32, 32))
            answer = model.decode_head(tokens)
        fused = (tokens[2].mean(0) * answer.maps.clamp(min=0))**0.5
        torch.testing.assert_close(
            answer.seed_maps, from_zero(refine_maps(fused, tokens[3])))
        torch.testing.assert_close(
            answer.logits,
            (tokens[1][-1].mean(2) + rank_weighted_pool(answer.maps, 0.996)) / 2)

    def test_a_decay_above_one(self):
        with pytest.raises(ValueError, match='decay must be within 0 and 1, got 1.1'):
            MCTformerPlusHead(8, NUM_CLASSES, decay=1.1)


class TestStem(WeakModelTester):
    """Tokens made of another backbone's map."""

    model_cfg = dict(
        MODEL,
        backbone=dict(
            VIT,
            type='ClassTokenViT',
            stem=dict(BACKBONE, out_indices=(3, )),
            stem_channels=32),
        decode_head=dict(HEAD, type='MCTformerV2Head'))


class TestFSAE(WeakModelTester):
    batch = staticmethod(strong_batch)
    model_cfg = dict(TestV2.model_cfg, type='FSAE')

    def test_it_compares_the_maps_of_patches(self):
        model = self.build().train()
        model.loss_fsae.threshold = 0.
        data = model.data_preprocessor(strong_batch(), training=True)
        loss = model.loss(**data)['loss_fsae']
        head, tokens = torch.autograd.grad(
            loss, [model.decode_head.classifier.weight, model.backbone.class_token])
        assert head.any() and tokens.any()


def test_attention_is_that_which_timm_computes():
    block = ClassTokenViT(**VIT).vit.blocks[0].eval()
    tokens = torch.rand(2, 7, 24)
    after, attention = attend(block, tokens)
    # timm's own way through memory shows what it multiplies values by.
    block.attn.fused_attn = False
    shown = []
    block.attn.attn_drop.register_forward_hook(
        lambda module, args, output: shown.append(args[0]))
    torch.testing.assert_close(after, block(tokens))
    torch.testing.assert_close(attention, shown[0].mean(1))
    torch.testing.assert_close(attention.sum(2), torch.ones(2, 7))


def test_from_zero():
    maps = torch.randn(2, 3, 4, 5)
    assert torch.equal(from_zero(maps).amin((2, 3)), torch.zeros(2, 3))
    torch.testing.assert_close(
        from_zero(maps) - maps, from_zero(maps + 7) - maps, atol=1e-5, rtol=0)


def test_refine_maps():
    maps, affinity = torch.rand(2, 3, 2, 3), torch.rand(2, 6, 6)
    refined = refine_maps(maps, affinity)
    for n in range(2):
        for c in range(3):
            for i in range(6):
                expected = sum(affinity[n, i, j] * maps[n, c, j // 3, j % 3]
                               for j in range(6))
                torch.testing.assert_close(refined[n, c, i // 3, i % 3], expected)
    with pytest.raises(ValueError, match=r'\(2, 5, 5\) do not fit maps of'):
        refine_maps(maps, affinity[:, :5, :5])


def test_rank_weighted_pool():
    maps = torch.randn(2, 3, 4, 5, dtype=torch.float64, requires_grad=True)
    pooled = rank_weighted_pool(maps, 0.7)
    for n in range(2):
        for c in range(3):
            values = sorted(maps[n, c].flatten().tolist(), reverse=True)
            weights = [0.7**j for j in range(20)]
            expected = sum(v * w for v, w in zip(values, weights, strict=True))
            assert pooled[n, c].item() == pytest.approx(expected / sum(weights))
    torch.testing.assert_close(rank_weighted_pool(maps, 1.), maps.mean((2, 3)))
    torch.testing.assert_close(rank_weighted_pool(maps, 0.), maps.amax((2, 3)))
    assert torch.autograd.gradcheck(lambda x: rank_weighted_pool(x, 0.7), maps)
    # Many small weights, of half precision's maps, too.
    half = torch.randn(1, 2, 28, 28).half()
    torch.testing.assert_close(
        rank_weighted_pool(half, 0.996),
        rank_weighted_pool(half.double(), 0.996).float())


def cubic(x, a=-0.75):
    x = abs(x)
    if x <= 1:
        return (a + 2) * x**3 - (a + 3) * x**2 + 1
    return a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a if x < 2 else 0.


@pytest.mark.parametrize('offset', [0., 0.1])
def test_rescale_positions(offset):
    rows = torch.rand(8, dtype=torch.float64)
    grid = rows[:, None].expand(8, 4).reshape(1, 32, 1)
    torch.testing.assert_close(rescale_positions(grid, (8, 4), (8, 4)), grid)
    wide = rescale_positions(grid, (8, 4), (13, 10), offset).view(13, 10)
    torch.testing.assert_close(wide, wide[:, :1].expand(13, 10))
    for i, value in enumerate(wide[:, 0]):
        place = (i + 0.5) * 8 / (13 + offset) - 0.5
        first = math.floor(place) - 1
        expected = sum(rows[min(max(k, 0), 7)] * cubic(place - k)
                       for k in range(first, first + 4))
        torch.testing.assert_close(value, expected)


def test_class_token_contrast():
    tokens = torch.randn(3, 2, 4, 5, dtype=torch.float64, requires_grad=True)
    labels = torch.tensor([[1., 0, 1, 0], [0, 1, 0, 0]], dtype=torch.float64)
    total = 0.
    for n in range(2):
        layers = []
        for layer in range(1, 3):
            rows = []
            for c in labels[n].nonzero().flatten():
                cosines = torch.stack([
                    F.cosine_similarity(
                        tokens[layer, n, c], tokens[layer, n, k], dim=0)
                    for k in range(4)])
                rows.append(-torch.log(cosines[c].exp() / cosines.exp().sum()))
            layers.append(sum(rows) / len(rows))
        total = total + sum(layers) / 2
    loss = ClassTokenContrastLoss(last_layers=2, loss_weight=3.)
    torch.testing.assert_close(
        loss(tokens, labels), 3 * total / 2, rtol=1e-7, atol=0)
    assert torch.autograd.gradcheck(lambda x: loss(x, labels), tokens)


def test_class_tokens_that_point_away_from_each_other():
    simplex = torch.eye(4) - 1 / 4
    loss = ClassTokenContrastLoss()(simplex[None, None], torch.ones(1, 4))
    assert loss.item() == pytest.approx(math.log(1 + 3 * math.exp(-4 / 3)))
    same = ClassTokenContrastLoss()(torch.ones(1, 1, 4, 5), torch.ones(1, 4))
    assert same.item() == pytest.approx(math.log(4))
    # An image without labels adds nothing.
    tokens = simplex.expand(1, 2, 4, 4)
    half = ClassTokenContrastLoss()(tokens, torch.tensor([[1.] * 4, [0.] * 4]))
    assert half.item() == pytest.approx(loss.item() / 2)


def test_contrast_of_wrong_shapes():
    with pytest.raises(ValueError, match='do not fit labels of'):
        ClassTokenContrastLoss()(torch.ones(1, 1, 4, 5), torch.ones(1, 3))
    with pytest.raises(ValueError, match='last_layers must be positive, got 0'):
        ClassTokenContrastLoss(last_layers=0)


@torch.no_grad()
def test_uneven_sizes():
    torch.manual_seed(0)
    backbone = ClassTokenViT(**VIT).eval()
    image = torch.rand(1, 3, 37, 30)
    # 37 is nearer to 40, 30 to 32: nothing is lost.
    resized = F.interpolate(image, (40, 32), mode='bilinear', align_corners=False)
    for one, other in zip(backbone(image), backbone(resized), strict=True):
        torch.testing.assert_close(one, other)
    assert backbone(torch.rand(1, 3, 3, 30))[0].shape == (1, 24, 1, 4)

    backbone.remainder = 'drop'
    for one, other in zip(
            backbone(image), backbone(image[..., :32, :24]), strict=True):
        torch.testing.assert_close(one, other)
    with pytest.raises(ValueError, match=r'leaves nothing of \(3, 30\)'):
        backbone(torch.rand(1, 3, 3, 30))
    # A square image of the grid's size has the very embeddings; one that only
    # becomes so does not, in the published code.
    square, rest = torch.rand(1, 3, 32, 32), torch.rand(1, 3, 32, 5)
    cut = backbone(torch.cat([square, rest], dim=3))[0]
    assert not torch.allclose(backbone(square)[0], cut)
    backbone.position_offset = 0.
    cut = backbone(torch.cat([square, rest], dim=3))[0]
    torch.testing.assert_close(backbone(square)[0], cut)


@pytest.mark.parametrize('options, message', [
    (dict(num_classes=1), 'num_classes counts the background'),
    (dict(img_size=30), 'img_size=30 is no multiple of patch_size=8'),
    (dict(img_size=0), 'img_size=0 is no multiple'),
    (dict(remainder='pad'), "remainder must be one of .* got 'pad'"),
    (dict(stem_channels=8), 'stem and stem_channels go together')])
def test_backbone_of_wrong_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        ClassTokenViT(**{**VIT, **options})


def classifier(**options):
    torch.manual_seed(0)
    sizes = {key: VIT[key] for key in (
        'img_size', 'patch_size', 'embed_dim', 'depth', 'num_heads')}
    model = timm.create_model(
        'deit_tiny_patch16_224', num_classes=10, **{**sizes, **options})
    nn.init.normal_(model.cls_token)
    return model.eval()


@pytest.mark.parametrize('key', ['model', 'state_dict', None])
def test_weights_of_a_classifier(tmp_path, key):
    """Files of DeiT's authors and of timm; one class more than there is then is the
    classifier itself."""
    source = classifier()
    weights = source.state_dict()
    path = tmp_path / 'deit.pth'
    torch.save({key: weights} if key else weights, path)
    init_cfg = dict(type='Pretrained', checkpoint=str(path))
    backbone = ClassTokenViT(**VIT, init_cfg=init_cfg)
    backbone.init_weights()
    assert torch.equal(
        backbone.class_token, source.cls_token.expand(1, NUM_CLASSES - 1, 24))

    one = ClassTokenViT(**{**VIT, 'num_classes': 2}, init_cfg=init_cfg).eval()
    one.init_weights()
    source.norm = nn.Identity()
    image = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        tokens = source.forward_features(image)
        patches, classes = one(image)[:2]
    torch.testing.assert_close(classes[-1], tokens[:, :1])
    torch.testing.assert_close(patches.flatten(2).transpose(1, 2), tokens[:, 1:])


def test_positions_of_a_larger_grid():
    weights = classifier().state_dict()
    double = ClassTokenViT(**{**VIT, 'img_size': 64}, position_init='nearest')
    double.load_classifier(weights)
    repeated = weights['pos_embed'][:, 1:].view(4, 4, 24)
    repeated = repeated.repeat_interleave(2, 0).repeat_interleave(2, 1)
    assert torch.equal(double.patch_position.view(8, 8, 24), repeated)
    smooth = ClassTokenViT(**{**VIT, 'img_size': 64})
    smooth.load_classifier(weights)
    assert not torch.equal(smooth.patch_position, double.patch_position)


def changed(weights, **changes):
    return {key: value for key, value in {**weights, **changes}.items()
            if value is not None}


def test_weights_of_another_network(tmp_path):
    weights = classifier().state_dict()
    backbone = ClassTokenViT(**VIT)
    before = {key: value.clone() for key, value in backbone.state_dict().items()}
    for wrong, message in [
        (changed(weights, cls_token=None), r'cls_token \(1, 1, D\)'),
        (changed(weights, pos_embed=torch.rand(1, 18, 24)), r'\(1, 18, 24\)'),
        (changed(weights, dist_token=torch.rand(1, 1, 24)), "no use for .*dist_token"),
        (changed(weights, **{'blocks.1.norm1.bias': None}),
         "no source for .'vit.blocks.1.norm1.bias'. .1."),
        (classifier(embed_dim=32).state_dict(), 'another shape of'),
        (classifier(depth=3).state_dict(), r'no use for .*\(12\)'),
    ]:
        with pytest.raises(ValueError, match=message):
            backbone.load_classifier(wrong)
    assert all(torch.equal(before[key], value)
               for key, value in backbone.state_dict().items())
    path = tmp_path / 'other.pth'
    torch.save(changed(weights, cls_token=None), path)
    backbone = ClassTokenViT(
        **VIT, init_cfg=dict(type='Pretrained', checkpoint=str(path)))
    with pytest.raises(ValueError, match='other.pth: expected cls_token'):
        backbone.init_weights()


def test_dilated_pair_head():
    head = DilatedPairHead(in_channels=8, channels=4, num_classes=3, dilation=2)
    with torch.no_grad():
        logits = head([torch.rand(1, 8, 9, 7)])
    assert logits.shape == (1, 3, 9, 7)
    # A pixel is seen from two dilated steps away, and by nothing between.
    inputs = torch.rand(1, 8, 19, 19, requires_grad=True)
    head([inputs])[0, 0, 9, 9].backward()
    seen = inputs.grad[0].abs().sum(0).nonzero()
    assert {abs(one - 9) for one in seen.flatten().tolist()} == {0, 2, 4}


def test_max_tta():
    logits = torch.randn(3, 4, 5, 6)
    samples = [[SegDataSample(seg_logits=PixelData(data=one.clone()))
                for one in logits]]
    result, = MaxTTAModel(MODELS.build(TestV1.model_cfg)).merge_preds(samples)
    best = logits.softmax(dim=1).amax(dim=0)
    assert torch.equal(result.pred_sem_seg.data, best.argmax(0, keepdim=True))
    torch.testing.assert_close(
        result.seg_logits.data.softmax(dim=0), best / best.sum(dim=0))


def official(kind, classes=20):
    """A state dict in the authors' names; its tensors take no memory."""
    shapes = {'cls_token': (1, classes, 384), 'norm.weight': (384, ),
              'norm.bias': (384, ), 'head.bias': (classes, ),
              'head.weight': (classes, 384) if kind == 'v1' else
              (classes, 384, 3, 3),
              'patch_embed.proj.weight': (384, 3, 16, 16),
              'patch_embed.proj.bias': (384, )}
    if kind == 'plus':
        shapes.update(pos_embed=(1, 197, 384), pos_embed_cls=(1, classes, 384),
                      pos_embed_pat=(1, 784, 384))
    else:
        shapes['pos_embed'] = (1, classes + 196, 384)
    for i in range(12):
        for name, rows, cols in (('attn.qkv', 1152, 384), ('attn.proj', 384, 384),
                                 ('mlp.fc1', 1536, 384), ('mlp.fc2', 384, 1536)):
            shapes[f'blocks.{i}.{name}.weight'] = (rows, cols)
            shapes[f'blocks.{i}.{name}.bias'] = (rows, )
        for name in ('norm1', 'norm2'):
            shapes[f'blocks.{i}.{name}.weight'] = (384, )
            shapes[f'blocks.{i}.{name}.bias'] = (384, )
    return {key: torch.zeros(1).expand(shape) for key, shape in shapes.items()}


@pytest.mark.parametrize('kind, classes, keys', [
    ('v1', 20, 149), ('v2', 20, 151), ('v2', 80, 151), ('plus', 20, 151)])
def test_convert(kind, classes, keys):
    source = official(kind, classes)
    assert len(source) == 154 if kind == 'plus' else 152
    converted = convert.convert(
        {f'module.{key}': value for key, value in source.items()})
    assert len(converted) == keys
    side = 28 if kind == 'plus' else 14
    assert converted['backbone.patch_position'].shape == (1, side**2, 384)
    assert ('decode_head.classifier.bias' in converted) == (kind != 'v1')


def test_positions_are_told_apart():
    source = official('v2')
    source['pos_embed'] = torch.arange(216.).view(1, 216, 1).expand(1, 216, 384)
    converted = convert.convert(source)
    assert converted['backbone.class_position'][0, :, 0].tolist() == [*range(20)]
    assert converted['backbone.patch_position'][0, :, 0].tolist() == [*range(20, 216)]


def test_convert_the_segmentation():
    with torch.device('meta'):
        wanted = MODELS.build(dict(type='WideResNet38')).state_dict()
    heads = {'fc8_seg_conv1': (512, 4096), 'fc8_seg_conv2': (21, 512)}
    source = {}
    for name, shape in heads.items():
        source[f'{name}.weight'] = torch.zeros(1).expand(*shape, 3, 3)
        source[f'{name}.bias'] = torch.zeros(shape[0])
    with pytest.raises(ValueError, match='DilatedPairHead: no source for .*backbone'):
        convert.convert(source)
    parts = dict(norm1='bn_branch2a', conv1='conv_branch2a', norm2='bn_branch2b1',
                 conv2='conv_branch2b1', norm3='bn_branch2b2',
                 conv3='conv_branch2b2', shortcut='conv_branch1')
    for key, value in wanted.items():
        names = key.split('.')
        if names[0].startswith('layer'):
            index = '' if names[1] == '0' else f'_{names[1]}'
            name = f'b{names[0][5:]}{index}.{parts[names[2]]}.{names[3]}'
        else:
            name = key.replace('conv1', 'conv1a').replace('norm', 'bn7')
        source[name] = torch.zeros(()).expand(value.shape)
    converted = convert.convert(source)
    assert len(converted) == len(wanted) + 4
    assert converted['decode_head.conv_seg.weight'].shape == (21, 512, 3, 3)


@pytest.mark.parametrize('changes, message', [
    ({'cls_token': None}, 'no checkpoint of MCTformer'),
    ({'cls_token': torch.rand(20, 384)}, r'cls_token of shape \(20, 384\)'),
    ({'cls_token': torch.rand(1, 20, 100)}, r'\(1, C, D\) with D of'),
    ({'pos_embed': None}, 'another shape of .*class_position'),
    ({'pos_embed': torch.rand(1, 218, 384)}, 'another shape of .*patch_position'),
    ({'blocks.3.norm1.bias': None}, 'MCTformerV2Head: no source for .*(1)'),
    ({'blocks.12.norm1.bias': torch.rand(384)}, 'no use for .*blocks.12.*(1)'),
    ({'head.bias': torch.rand(21)}, 'another shape of .*classifier.bias')])
def test_convert_what_is_wrong(changes, message):
    with pytest.raises(ValueError, match=message):
        convert.convert(changed(official('v2'), **changes))


def test_convert_a_file(tmp_path, monkeypatch, capsys):
    source, target = tmp_path / 'official.pth', tmp_path / 'ours.pth'
    torch.save(dict(model=official('v2'), epoch=59), source)
    convert.main(convert_args(monkeypatch, source, target))
    assert len(load_weights(str(target))) == 151
    assert f'wrote {target}' in capsys.readouterr().out
    torch.save(dict(model=changed(official('v2'), **{'norm1': torch.rand(2)})), source)
    with pytest.raises(ValueError, match='official.pth: MCTformerV2Head: no use for'):
        convert.main(convert_args(monkeypatch, source, target))
    torch.save(dict(model=dict(cls_token=3)), source)
    with pytest.raises(ValueError, match="official.pth: 'cls_token' is a int"):
        convert.main(convert_args(monkeypatch, source, target))


def convert_args(monkeypatch, *paths):
    monkeypatch.setattr(sys, 'argv', ['convert.py', *map(str, paths)])
    return convert.parse_args()


def test_maps_in_full_at_uneven_sizes():
    """Seeds of an image of 37 x 30 pixels have its size."""
    model = MODELS.build(TestV2.model_cfg).eval()
    batch = make_batch(num=1, size=(37, 30))
    with torch.no_grad():
        result, = model.test_step(batch)
    assert result.full_seed.scores.shape[1:] == result.ori_shape
