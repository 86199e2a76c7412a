# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.structures import PixelData
from mmseg.registry import METRICS, MODELS
from model_cases import PIXEL, STEM_RESNET
from model_tester import (
    ResNet10,
    StemResNet10,
    build_model,
    loss_dict,
    make_batch,
    make_views,
    pixel_batch,
)

from mmwsss.models.refiners import (
    AffinityWalk,
    RandomWalk,
    WalkInstances,
    WalkLabel,
)
from mmwsss.ops import affinity_walk, centroid_instances, random_walk
from mmwsss.structures import Seed


def test_stem_resnet_is_the_resnet_with_one_more_output():
    torch.manual_seed(0)
    cfg = {key: value for key, value in STEM_RESNET.items() if key != 'type'}
    ours, plain = StemResNet10(**cfg), ResNet10(**cfg)
    plain.load_state_dict(ours.state_dict())
    ours.eval(), plain.eval()
    image = torch.rand(1, 3, 48, 40)
    stem, *stages = ours(image)
    assert stem.shape == (1, 16, 12, 10)
    for one, other in zip(stages, plain(image), strict=True):
        torch.testing.assert_close(one, other)


def test_contours_of_images():
    """A model of contours alone, as BoundaryMetric takes them."""
    model = build_model(PIXEL['contour']).eval()
    metric = METRICS.build(
        dict(type='BoundaryMetric', truth='mask', matching='distance',
             thin=False, num_thresholds=3))
    data = pixel_batch(size=(48, 48))
    # The image is smaller than the batch, and was larger before the test.
    for sample, size in zip(
            data['data_samples'], ((45, 47), (90, 94)), strict=True):
        sample.set_metainfo(
            dict(img_id='a', img_shape=(45, 47), ori_shape=size))
        sample.gt_sem_seg = PixelData(data=torch.zeros(1, *size).long())
    with torch.no_grad():
        results = model.test_step(data)
        inputs = model.data_preprocessor(data)['inputs']
        maps = model.decode_head(model.extract_feat(inputs)).sigmoid()
        free, = model(torch.rand(1, 3, 41, 38), mode='predict')
    metric.process({}, [result.to_dict() for result in results])
    assert np.isfinite(metric.evaluate(2)['boundary/MF_approx'])
    first, second = (result.pred_boundary.data for result in results)
    assert first.shape == (1, 45, 47) and second.shape == (1, 90, 94)
    expected = F.interpolate(
        maps[:1], scale_factor=4, mode='bilinear')[0, :, :45, :47]
    torch.testing.assert_close(first, expected)
    expected = F.interpolate(maps[1:], (90, 94), mode='bilinear')[0]
    torch.testing.assert_close(second, expected)
    assert free.pred_boundary.data.shape == (1, 41, 38)


def test_labels_are_those_of_the_cells_middle():
    # Pillow's nearest neighbour reads pixel 4 i + 2.
    seen = []
    model = build_model(PIXEL['contour'])
    model.decode_head.loss_decode.forward = lambda output, label: (
        seen.append(label), output.sum())[1]
    data = make_batch(1)
    label = torch.arange(32 * 32).view(1, 32, 32) % 251
    data['data_samples'][0].gt_sem_seg = PixelData(data=label)
    loss_dict(model, data)
    assert torch.equal(seen[0][0], label[0, 2::4, 2::4])


def test_mean_shift_in_evaluation_only():
    model = build_model(PIXEL['irn'])
    head = model.auxiliary_head
    feats = model.extract_feat(torch.rand(1, 3, 64, 64))
    head.running_mean.copy_(torch.tensor([1., -2.]))
    raw = head.train()(feats)
    shifted = head.eval()(feats)
    assert raw.shape == (1, 2, 16, 16)
    torch.testing.assert_close(raw[0, 0] - 1, shifted[0, 0])
    torch.testing.assert_close(raw[0, 1] + 2, shifted[0, 1])


@pytest.mark.parametrize('size', [(50, 61), (64, 64), (90, 70)])
def test_guides(size):
    model = build_model(PIXEL['irn']).eval()
    image = torch.randint(0, 256, (3, *size)).byte()
    tta = MODELS.build(
        dict(type='WalkTTAModel', module=model, pad_size=64, displacement=True))
    sample, = tta.test_step(make_views(image))
    cells = tuple((side - 1) // 4 + 1 for side in size)
    assert sample.guide.shape == (1, 1, *cells)
    assert sample.displacement.shape == (2, *cells)
    # The same by hand: padded behind normalisation, cut, turned back.
    padded = [max(64, -(-side // 16) * 16) for side in size]
    logits = []
    for flip in (False, True):
        data = model.data_preprocessor(
            dict(inputs=[image.flip(-1) if flip else image]), False)
        one = torch.zeros(1, 3, *padded)
        one[..., :size[0], :size[1]] = data['inputs']
        with torch.no_grad():
            edge = model.decode_head(model.extract_feat(one))
        edge = edge[..., :cells[0], :cells[1]]
        logits.append(edge.flip(-1) if flip else edge)
    torch.testing.assert_close(sample.guide, (sum(logits) / 2).sigmoid())


def test_guides_need_an_unflipped_view():
    tta = MODELS.build(dict(
        type='WalkTTAModel', module=build_model(PIXEL['irn']), pad_size=64))
    data = make_views(torch.zeros(3, 32, 32).byte())
    data = {key: value[1:] for key, value in data.items()}
    with pytest.raises(ValueError, match='a.jpg: every augmentation is flipped'):
        tta.test_step(data)


def seed(size=(22, 30), labels=(2, 5), full=False):
    shape = size if full else tuple((side - 1) // 4 + 1 for side in size)
    generator = torch.Generator().manual_seed(0)
    return Seed(
        torch.rand(len(labels), *shape, generator=generator), list(labels), size)


def test_label_of_a_random_walk():
    rule = WalkLabel(dict(type='RandomWalk', steps=4), bg_thr=0.6)
    guide = torch.rand(1, 1, 6, 8)
    one = seed()
    walked = random_walk(one.scores[None], guide, steps=4)
    grown = torch.nn.functional.interpolate(
        walked, scale_factor=4, mode='bilinear')[0, :, :22, :30]
    grown = grown / grown.max()
    best = torch.cat([torch.full((1, 22, 30), 0.6), grown]).argmax(0)
    expected = torch.tensor([0, 2, 5])[best]
    mask = rule(one, guide)
    assert mask.dtype == torch.uint8 and set(mask.unique().tolist()) <= {0, 2, 5}
    assert torch.equal(mask.long(), expected)
    # Its file at stride 4 holds nearly the same.
    reduced = rule.reduce(rule.walk(one, guide))
    assert reduced.scores.shape == (2, 6, 8)
    assert (reduced.to_mask(0.6) == mask).float().mean() > 0.85


def test_label_of_an_affinity_walk():
    rule = WalkLabel(dict(type='AffinityWalk', steps=4, border=True), alpha=2)
    guide = torch.rand(1, 3, 3, 4)
    one = seed(full=True)
    scores = torch.zeros(1, 3, 24, 32)
    scores[..., :22, :30] = one.with_background(alpha=2)
    pooled = scores.view(1, 3, 3, 8, 4, 8).mean((3, 5))
    walked = affinity_walk(pooled, guide, steps=4, border=True)
    grown = torch.nn.functional.interpolate(
        walked, scale_factor=8, mode='bilinear')[0, :, :22, :30]
    expected = torch.tensor([0, 2, 5])[grown.argmax(0)]
    assert torch.equal(rule(one, guide).long(), expected)
    assert rule.reduce(rule.walk(one, guide)).background.shape == (6, 8)


def test_walks_refine_like_other_refiners():
    scores, guide = torch.rand(2, 3, 24, 32), torch.rand(2, 1, 6, 8)
    assert RandomWalk(steps=2)(scores, guide).shape == (2, 3, 6, 8)
    assert AffinityWalk(steps=2, stride=4)(scores, guide).shape == (2, 3, 6, 8)
    with pytest.raises(ValueError, match='does not fit scores'):
        AffinityWalk(steps=2)(scores, guide)


@pytest.mark.parametrize('empty', [0, 255])
def test_label_without_classes(empty):
    rule = WalkLabel(dict(type='RandomWalk'), empty_label=empty)
    mask = rule(seed(labels=()), torch.rand(1, 1, 6, 8))
    assert mask.shape == (22, 30) and (mask == empty).all()


def test_guide_of_another_size():
    with pytest.raises(ValueError, match='needs a guide of size'):
        WalkLabel(dict(type='RandomWalk'))(seed(), torch.rand(1, 1, 6, 7))


def pointing_field(centers, size):
    """Each pixel points at the nearest of some centers."""
    rows, cols = np.indices(size)
    distance = [(rows - y)**2 + (cols - x)**2 for y, x in centers]
    nearest = np.argmin(distance, axis=0)
    target = np.array(centers)[nearest]
    field = np.stack([target[..., 0] - rows, target[..., 1] - cols])
    return torch.tensor(field).float(), torch.tensor(nearest)


def test_centroids_split_what_points_apart():
    field, nearest = pointing_field([(5, 4), (6, 20)], (12, 26))
    ids = centroid_instances(field, num_iter=20)
    assert ids.unique().tolist() == [0, 1]
    for part in (0, 1):
        inside = ids[nearest == part]
        assert (inside == inside.mode().values).float().mean() > 0.95
    assert ids[5, 4] != ids[6, 20]
    with pytest.raises(ValueError, match=r'\(2, h, w\)'):
        centroid_instances(torch.zeros(1, 3, 4))


def naive_centroids(field, threshold, num_iter):
    """Ids by walking pixel by pixel, and by flooding areas."""
    field = field.double().numpy()
    _, height, width = field.shape
    cells = [(y, x) for y in range(height) for x in range(width)]
    weak = {(y, x) for y, x in cells if np.hypot(*field[:, y, x]) < threshold}
    areas = {}
    for cell in cells:
        reached = [cell] if cell in weak and cell not in areas else []
        for y, x in reached:
            areas[y, x] = cell
            reached += {(y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)
                        } & weak - set(reached)
    ids = []
    for y, x in cells:
        for _ in range(num_iter):
            move = sum(
                max(0, 1 - abs(y - i)) * max(0, 1 - abs(x - j)) * field[:, i, j]
                for i, j in cells if abs(y - i) < 1 and abs(x - j) < 1)
            y = min(max(y + move[0], 0), height - 1)
            x = min(max(x + move[1], 0), width - 1)
        ids.append(areas.get((round(y), round(x)), None))
    order = list(dict.fromkeys(ids))
    return [order.index(one) for one in ids]


@pytest.mark.parametrize('seed,scale,threshold,num_iter', [
    (0, 2, 1, 0), (1, 2, 1, 1), (2, 5, 2.5, 2), (3, 2, 1, 5), (4, 8, 2.5, 3),
])
def test_centroids_against_naive(seed, scale, threshold, num_iter):
    # Smooth fields lead somewhere; large ones leave the map.
    coarse = torch.randn(
        1, 2, 7, 9, generator=torch.Generator().manual_seed(seed))
    field = scale * F.interpolate(coarse, size=(13, 18), mode='bilinear')[0]
    ids = centroid_instances(field, threshold, num_iter).flatten().tolist()
    expected = naive_centroids(field, threshold, num_iter)
    assert max(expected) > 1
    assert set(ids) == set(range(max(expected) + 1))
    order = list(dict.fromkeys(ids))
    assert [order.index(one) for one in ids] == expected


def test_instances():
    field, _ = pointing_field([(5, 4), (6, 20)], (12, 26))
    scores = torch.zeros(1, 12, 26)
    scores[0, 3:8, 2:8] = scores[0, 4:9, 17:24] = 1
    boundary = torch.zeros(1, 1, 12, 26)
    boundary[..., 12:14] = boundary[..., [0, -1], :] = 1
    one = Seed(scores, [3], (48, 104))
    rule = WalkInstances(dict(type='RandomWalk', steps=4), bg_thr=0.4)
    found = rule.instances(one, boundary, field)
    large = [instance for instance in found if instance.score > 0]
    assert [instance.label for instance in large] == [3, 3]
    first, second = (instance.mask for instance in large)
    assert not (first & second).any()
    assert first[20, 20] != second[20, 20] and first[24, 80] != second[24, 80]
    assert rule.instances(seed(labels=()), torch.rand(1, 1, 6, 8),
                          torch.zeros(2, 6, 8)) == []
    with pytest.raises(ValueError, match='displacement must have the size'):
        rule.instances(one, boundary, torch.zeros(2, 6, 8))
