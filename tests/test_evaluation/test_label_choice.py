# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Criteria of thresholds without masks, and checks of pseudo labels."""

from itertools import combinations

import numpy as np
import pytest

from mmwsss.evaluation.label_checks import (
    LabelStatistics,
    border_density,
    chance_precision,
    check_class_ious,
    check_stages,
    check_tag_map,
)
from mmwsss.evaluation.threshold_criteria import BINS, CRITERIA, SeedStatistics


def measured(scores, image=None):
    statistics = SeedStatistics()
    if image is None:
        image = np.random.RandomState(0).rand(*scores.shape, 3)
    statistics.add(scores, image)
    return statistics


def test_otsu_is_the_least_variance_within():
    values = np.random.RandomState(0).beta(0.6, 1.5, (40, 50))
    found = CRITERIA['otsu'](measured(values))
    binned = (np.floor(values * BINS) + 0.5) / BINS

    def within(threshold):
        sides = binned[binned < threshold], binned[binned >= threshold]
        return sum(side.var() * side.size for side in sides if side.size)

    best = min((k / BINS for k in range(1, BINS)), key=within)
    assert found == pytest.approx(best)


def test_contrast_against_loops():
    random = np.random.RandomState(1)
    scores, image = random.rand(12, 15), random.rand(12, 15, 3)
    image[scores > 0.4] += 2
    statistics = measured(scores, image)
    pixels, total = image.reshape(-1, 3), image.reshape(-1, 3).var(0).sum()
    for k in (1, 25, 40, 90):
        above = scores.ravel() >= k / BINS
        gap = pixels[above].mean(0) - pixels[~above].mean(0)
        expected = above.mean() * (1 - above.mean()) * (gap**2).sum() / total
        assert statistics.contrast[k] == pytest.approx(expected)
    assert CRITERIA['colour_contrast'](statistics) == pytest.approx(0.4, abs=0.02)


@pytest.mark.parametrize('name', CRITERIA)
@pytest.mark.parametrize('scores', [np.zeros((4, 4)), np.ones((4, 4))])
def test_flat_seeds_have_a_threshold_all_the_same(name, scores):
    assert 0 <= CRITERIA[name](measured(scores, np.ones((4, 4, 3)))) <= 1


def labels(share, tags, classes=('background', 'cat', 'dog'), images=5, seed=None):
    """Statistics of images whose first class covers a share."""
    statistics = LabelStatistics(classes)
    for number in range(images):
        mask = np.zeros((10, 10), np.uint8)
        mask.ravel()[:round(share * 100)] = 1
        statistics.add(f'{number}', mask, np.array(tags), seed)
    return {check.name: check for check in statistics.check()}


def test_good_labels_pass():
    checks = labels(0.3, [1, 1, 0], seed=np.eye(10, dtype=np.uint8) * 0 + 1)
    assert checks['background'].passed and checks['classes'].passed
    assert checks['refiner'].value == pytest.approx(0.3)


def test_no_background_and_nothing_else():
    assert not labels(1, [1, 1, 0])['background'].passed
    seed = np.ones((10, 10), np.uint8)
    for share, word in ((1, 'higher threshold'), (0, 'lower threshold')):
        assert word in labels(share, [1, 1, 0], seed=seed)['background'].text
        # Labels that no threshold has made.
        said = labels(share, [1, 1, 0])
        assert not any('threshold' in check.text for check in said.values())
        assert 'a longer training' in said['background'].text


def test_vanished_and_flooded():
    checks = labels(0.92, [1, 1, 1])
    assert 'flooded' in checks['class cat'].text and not checks['class cat'].passed
    assert 'vanished' in checks['class dog'].text
    assert checks['class dog'].images == ('0', '1', '2', '3', '4')
    # A class that no image is tagged with has not vanished.
    assert 'class dog' not in labels(0.5, [1, 1, 0])


def test_undecided_pixels_count_for_nobody():
    statistics = LabelStatistics(('background', 'cat'))
    mask = np.full((10, 10), 255, np.uint8)
    mask[:2] = 1
    mask[2] = 0
    statistics.add('a', mask, np.array([1, 1]))
    assert statistics.check()[0].value == pytest.approx(1 / 3)
    with pytest.raises(ValueError, match='no pseudo labels'):
        LabelStatistics(('background', )).check()


def test_a_refiner_that_replaces_the_seeds():
    seed = np.zeros((10, 10), np.uint8)
    seed[5:] = 1
    assert not labels(0.3, [1, 1, 0], seed=seed)['refiner'].passed


def seeds_at(places, images=4, size=(50, 25)):
    """Statistics of images where each class covers a rectangle."""
    names = [f'class {i}' for i in range(1, len(places) + 1)]
    statistics = LabelStatistics(('background', *names))
    mask = np.zeros(size, np.uint8)
    for number, place in enumerate(places, 1):
        mask[place] = number
    for number in range(images):
        statistics.add(f'{number}', mask, np.ones(len(places) + 1), mask)
    return {check.name: check for check in statistics.check()
            if check.name.startswith('border')}


INSIDE = np.s_[20:30, 8:16], np.s_[32:40, 8:16]


def test_seeds_along_the_border_are_warned_of():
    checks = seeds_at([*INSIDE, np.s_[:8]])
    assert list(checks) == ['border class 3']
    check = checks['border class 3']
    assert check.passed and 'WARNING' in str(check) and 'grass' in check.text
    assert check.images[0] in '0123'
    # 4 of 50 rows and 2 of 25 columns on each side are the border.
    border, covered = 1 - 42 * 21 / (50 * 25), 8 / 50
    expected = (4 * 25 + 4 * 4) / (50 * 25) / border / covered
    assert check.value == pytest.approx(expected)
    # Neither few images, nor what all classes do, tell of one.
    assert seeds_at([*INSIDE, np.s_[:8]], images=2) == {}
    assert seeds_at([np.s_[:8], np.s_[8:16], np.s_[40:]]) == {}
    assert seeds_at([*INSIDE, np.s_[4:]]) == {}


def test_how_densely_the_border_is_covered():
    random = np.random.RandomState(0)
    mask = random.choice([0, 1, 2, 255], (30, 41)).astype(np.uint8)
    told = border_density(mask, 4)
    for number in range(3):
        on_border = sum(
            mask[y, x] == number for y in range(30) for x in range(41)
            if y < 2 or y >= 28 or x < 3 or x >= 38)
        expected = (on_border / (30 * 41 - 26 * 35)) / (mask == number).mean()
        assert told[number] == pytest.approx(expected)
    assert np.isnan(told[3])


@pytest.mark.parametrize('scores, status', [
    ([12.1, 5.6], 'failed'),  # a run that gave a useless model
    ([39.1, 26.9], 'warning'),
    ([39.1, 38.3], 'ok'),
    ([39.1, 41.], 'ok'),
    # Never against the stage before alone, or a fall in two steps is not seen.
    ([40., 25., 15.], 'failed'),
    ([20., 40., 25.], 'warning'),
])
def test_a_stage_against_the_best_one_before_it(scores, status):
    checks = check_stages({f'stage {i}': score for i, score in enumerate(scores)})
    assert checks[-1].as_entry()['status'] == status
    assert checks[-1].passed == (status != 'failed')
    assert ('WARNING' in str(checks[-1])) == (status == 'warning')


def test_classes_that_seeds_miss():
    ious = {'background': 1., 'cat': 52., 'cow': 4.7, 'dog': float('nan')}
    [check] = check_class_ious(ious)
    assert check.name == 'class cow' and check.passed and check.value == 4.7
    assert "'cow'" in str(check) and '4.7' in check.text


def test_what_a_worse_stage_says():
    [check] = check_stages({'classify': 12.1, 'expand': 5.6})
    assert check.name == 'stage expand'
    for said in ('6.5 points', '5.6 after 12.1', '--method cam'):
        assert said in check.text
    assert check.as_entry(['a.png'])['pictures'] == ['a.png']
    # One stage cannot be worse than another.
    assert check_stages({'CAM': 12.1}) == []


def test_tag_map_against_chance():
    tags = np.array([[1, 1, 0]] * 80 + [[1, 1, 1]] * 20)
    # Chance: the mean of 1 and a little more than 0.2.
    assert not check_tag_map(65, tags).passed
    assert check_tag_map(90, tags).passed
    assert 'by chance 61.7' in check_tag_map(65, tags).text
    texts = [check_tag_map(90, tags, learnt=learnt).text for learnt in (False, True)]
    assert [('has not learnt from' in text, 'it learnt from' in text)
            for text in texts] == [(True, False), (False, True)]


def test_the_tag_map_of_few_images_only_warns():
    tags = np.array([[1, 1, 0]] * 10 + [[1, 0, 1]] * 9)
    few = check_tag_map(50, tags)
    assert few.passed and few.as_entry()['status'] == 'warning'
    assert check_tag_map(95, tags).as_entry()['status'] == 'ok'
    assert not check_tag_map(50, np.repeat(tags, 2, 0)).passed


@pytest.mark.parametrize('positives, count', [(1, 1), (1, 4), (2, 5), (3, 6), (5, 5)])
def test_the_precision_of_a_random_order(positives, count):
    """The mean over all orders."""
    found = []
    for ranks in combinations(range(1, count + 1), positives):
        found.append(np.mean([(i + 1) / rank for i, rank in enumerate(ranks)]))
    assert chance_precision(positives, count) == pytest.approx(np.mean(found))
