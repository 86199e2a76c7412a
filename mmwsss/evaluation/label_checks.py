# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Whether pseudo labels can teach a segmentation model."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

LEAST_BACKGROUND = 0.05
MOST_BACKGROUND = 0.98
FLOODED = 0.9
"""The share of its images from which on a class has left them no background."""
VANISHED = 0.005
LEAST_SKILL = 0.2
"""Of the way from chance to a perfect tag mAP."""
FEW_TAGGED = 20
"""A tag mAP of fewer images than this is too rough to stop for."""
LEAST_AGREEMENT = 0.3
LEAST_KEPT = 0.5
"""Of the best mIoU before it, what a stage must keep. One that kept 0.46 of it (12.1
to 5.6) gave a useless model; one that kept 0.69 (39.1 to 26.9) did no harm, as the
stage before it was taken."""
MISSED = 10.
"""The IoU, in per cent, of a class whose seeds lie nearly all on something else."""
BORDER = 0.08
"""The width of the border of an image, of its sides."""
MOST_AT_BORDER = 0.7
"""Of how densely its seeds cover its images, how densely a class may cover their
borders. Objects stand inside; what surrounds them reaches the border."""
MORE_AT_BORDER = 1.2
"""The same, of the median of the classes, as some methods favour the border. The two
numbers found 13 of 17 classes with an IoU of 22 or less in eight sets of seeds of
animals, and warned of none of the 29 others; docs/en/results.md has the table."""
NOTED_FALL = 1.
"""Points of mIoU that a stage may lose without a word."""
_LEAST_IMAGES = 3


@dataclass(frozen=True)
class Check:
    """The outcome of one check.

    Args:
        name (str): What was looked at.
        passed (bool): Whether going on makes sense.
        value (float): What was measured.
        text (str): The measure in words and, where it failed, what to try.
        images (tuple[str]): Ids of images that show it, the clearest first.
        warning (bool): Whether to warn of what has passed. Defaults to False.
    """

    name: str
    passed: bool
    value: float
    text: str
    images: tuple[str, ...] = ()
    warning: bool = False

    def __str__(self) -> str:
        if self.passed and self.warning:
            return f'WARNING: {self.text}'
        return f'{"passed" if self.passed else "FAILED"} ({self.name}): {self.text}'

    def as_entry(self, pictures: Sequence[str] = (), of: str = '') -> dict:
        """The check as a report takes it.

        Args:
            pictures (Sequence[str]): Files that show it.
            of (str): Whose check it is, where a run has several. Defaults to ''.
        """
        status = 'failed' if not self.passed else 'warning' if self.warning else 'ok'
        return dict(title=f'{of}: {self.name}' if of else self.name, status=status,
                    text=self.text, pictures=list(pictures))


class LabelStatistics:
    """How much of each image each class covers.

    Args:
        classes (Sequence[str]): All classes, background first.
    """

    def __init__(self, classes: Sequence[str]) -> None:
        self.classes = list(classes)
        self.ids: list[str] = []
        self.shares: list[np.ndarray] = []
        self.tags: list[np.ndarray] = []
        self.agreement: list[float] = []
        self.at_border: list[np.ndarray] = []

    def add(self, image_id: str, mask: np.ndarray, tags: np.ndarray,
            seed_mask: np.ndarray | None = None) -> None:
        """Count an image.

        Args:
            image_id (str): Its id.
            mask (np.ndarray): The pseudo label, ``(H, W)``; 255 is left out.
            tags (np.ndarray): Its image labels, multi-hot, background first.
            seed_mask (np.ndarray, optional): What the seed alone says.
        """
        counts = np.bincount(mask.ravel(), minlength=256)[:len(self.classes)]
        self.ids.append(image_id)
        self.shares.append(counts / max(counts.sum(), 1))
        self.tags.append(np.asarray(tags) > 0)
        if seed_mask is not None:
            either = ((mask > 0) & (mask != 255)) | (seed_mask > 0)
            same = (mask == seed_mask) & (mask > 0)
            self.agreement.append(same.sum() / max(either.sum(), 1))
            self.at_border.append(border_density(seed_mask, len(self.classes)))

    def check(self) -> list[Check]:
        """All checks of what was counted.

        Raises:
            ValueError: If nothing was.
        """
        if not self.ids:
            raise ValueError('there are no pseudo labels to check')
        shares, tags = np.stack(self.shares), np.stack(self.tags)
        background = float(shares[:, 0].mean())
        order = np.argsort(shares[:, 0] if background < 0.5 else -shares[:, 0])
        # Labels without seeds have no threshold to try.
        thresholded = bool(self.agreement)
        checks = [check_background(background, self._named(order), thresholded)]
        checks += check_classes(self.classes, tags.sum(0), [
            float(shares[tags[:, number], number].mean()) if tags[:, number].any()
            else 0. for number in range(len(self.classes))],
            partial(self._shown_by, shares, tags), thresholded)
        if self.agreement:
            checks.append(self._agreement(np.array(self.agreement)))
            checks += self._borders(np.stack(self.at_border))
        return checks

    def _shown_by(self, shares: np.ndarray, tags: np.ndarray, number: int,
                  most: bool) -> tuple[str, ...]:
        """The images of a class that have the most or the least of it."""
        tagged = np.flatnonzero(tags[:, number])
        sign = -1 if most else 1
        return self._named(tagged[np.argsort(sign * shares[tagged, number])])

    def _agreement(self, agreement: np.ndarray) -> Check:
        mean = float(agreement.mean())
        text = f'pseudo labels and seeds agree by an IoU of {100 * mean:.0f}'
        if mean < LEAST_AGREEMENT:
            text += ('; the refiner has replaced the seeds. Try none (--cfg-options '
                     'steps.pseudo_labels.refiner=none) or another threshold')
        return Check('refiner', mean >= LEAST_AGREEMENT, mean, text,
                     self._named(np.argsort(agreement)))

    def _borders(self, density: np.ndarray) -> list[Check]:
        """Warnings of classes whose seeds lie along the images' borders."""
        counted = np.isfinite(density)
        means = {number: float(density[counted[:, number], number].mean())
                 for number in range(1, len(self.classes))
                 if counted[:, number].sum() >= _LEAST_IMAGES}
        usual = np.median(list(means.values())) if means else 0.
        checks = []
        for number, mean in means.items():
            if mean < max(MOST_AT_BORDER, MORE_AT_BORDER * usual):
                continue
            name = self.classes[number]
            images = np.flatnonzero(counted[:, number])
            order = images[np.argsort(-density[images, number])]
            checks.append(Check(
                f'border {name}', True, mean, f'{name!r} may be sought in its '
                f'surroundings: its seeds cover the border of its photos {mean:.1f} '
                f'times as densely as the whole (the median of the classes is '
                f'{usual:.1f}). Look at its photos in the report. Nothing is wrong '
                'with a class that reaches the border, such as grass; else add photos '
                f'of the same places without {name!r}', self._named(order),
                warning=True))
        return checks

    def _named(self, order: np.ndarray, most: int = 8) -> tuple[str, ...]:
        return tuple(self.ids[i] for i in order[:most])


def border_density(mask: np.ndarray, num_classes: int) -> np.ndarray:
    """How densely each class covers the border of an image, of how densely the image.

    Args:
        mask (np.ndarray): Class ids ``(H, W)``; 255 is left out.
        num_classes (int): Number of classes, background included.

    Returns:
        np.ndarray: ``(num_classes,)``: 1 for an even spread, 0 for a class that stays
        away from the border, not a number for one that is not there.
    """
    rows, columns = (round(BORDER * side) for side in mask.shape)
    inside = mask[rows:mask.shape[0] - rows, columns:mask.shape[1] - columns]
    whole, inner = (np.bincount(part.ravel(), minlength=256)[:num_classes]
                    for part in (mask, inside))
    border = max(mask.size - inside.size, 1)
    with np.errstate(invalid='ignore', divide='ignore'):
        return (whole - inner) / border / (whole / mask.size)


class LabelSums:
    """What :class:`LabelStatistics` checks, of any number of images in the memory
    of a few numbers; sums of several processes can be added up.

    Args:
        classes (Sequence[str]): All classes, background first.
    """

    def __init__(self, classes: Sequence[str]) -> None:
        self.classes = list(classes)
        self.images = 0
        self.background = 0.
        self.tagged = np.zeros(len(self.classes), np.int64)
        self.covered = np.zeros(len(self.classes))

    def add(self, mask: np.ndarray, tags: np.ndarray) -> None:
        """Count an image; arguments of :meth:`LabelStatistics.add`."""
        counts = np.bincount(mask.ravel(), minlength=256)[:len(self.classes)]
        shares = counts / max(counts.sum(), 1)
        shown = np.asarray(tags) > 0
        self.images += 1
        self.background += float(shares[0])
        self.tagged += shown
        self.covered += np.where(shown, shares, 0)

    def merge(self, value: dict) -> None:
        """Add sums that :meth:`to_dict` gave.

        Raises:
            ValueError: If they are of another number of classes.
        """
        if len(value['tagged']) != len(self.classes):
            raise ValueError(f'sums of {len(value["tagged"])} classes, expected '
                             f'{len(self.classes)}')
        self.images += value['photos']
        self.background += value['background']
        self.tagged += np.array(value['tagged'], np.int64)
        self.covered += np.array(value['covered'])

    def to_dict(self) -> dict:
        """The sums as plain values."""
        return dict(photos=self.images, background=self.background,
                    tagged=self.tagged.tolist(), covered=self.covered.tolist())

    def check(self) -> list[Check]:
        """The checks; none if nothing was counted."""
        if not self.images:
            return []
        return [check_background(self.background / self.images),
                *check_classes(self.classes, self.tagged,
                               self.covered / np.maximum(self.tagged, 1))]


def check_background(share: float, images: tuple[str, ...] = (),
                     thresholded: bool = True) -> Check:
    """Whether some, and not nearly all, of the pseudo labels is background.

    Args:
        share (float): That of the background, the mean over the images.
        images (tuple[str]): Images that show it.
        thresholded (bool): Whether a threshold has made it. Defaults to True.
    """
    text = f'{share:.0%} of the pseudo labels is background'
    if share < LEAST_BACKGROUND:
        text += '; almost none is left. Try ' + (
            'a higher threshold (mmwsss preview shows it)' if thresholded
            else 'a longer training, another method (--method cam)')
        text += ', or photos that show less of the classes'
    elif share > MOST_BACKGROUND:
        text += '; almost nothing else is left. Try ' + (
            'a lower threshold (mmwsss preview shows it), or ' if thresholded else '')
        text += 'a longer training'
    return Check('background', LEAST_BACKGROUND <= share <= MOST_BACKGROUND, share,
                 text, images)


def check_classes(classes: Sequence[str],
                  tagged: Sequence[int] | np.ndarray,
                  shares: Sequence[float] | np.ndarray,
                  images: Callable[[int, bool], tuple[str, ...]] = lambda *_: (),
                  thresholded: bool = True) -> list[Check]:
    """Whether classes have vanished from their images, or flooded them.

    Args:
        classes (Sequence[str]): All classes, background first.
        tagged (Sequence[int]): How many images show each.
        shares (Sequence[float]): What each covers of these images, the mean.
        images (Callable): Images of a class that have the most (True) or the least
            of it.
        thresholded (bool): Whether a threshold has made the background. Defaults to
            True.
    """
    checks = []
    remedy = 'a higher threshold' if thresholded else 'a longer training'
    for number, name in enumerate(classes[1:], 1):
        if tagged[number] < _LEAST_IMAGES:
            continue
        share = float(shares[number])
        where = f'of the {tagged[number]} photos that show it'
        if share < VANISHED:
            checks.append(Check(
                f'class {name}', False, share, f'{name!r} has vanished: it covers '
                f'{share:.2%} {where}. Train longer, add photos that show it alone '
                'and larger, or drop it', images(number, False)))
        elif share > FLOODED:
            checks.append(Check(
                f'class {name}', False, share, f'{name!r} has flooded its photos: '
                f'it covers {share:.0%} {where}. Try {remedy}, or add photos of '
                f'the same surroundings without {name!r}',
                images(number, True)))
    if not checks:
        checks.append(Check('classes', True, 0.,
                            'no class has vanished or flooded its photos'))
    return checks


def check_tag_map(tag_map: float, tags: np.ndarray, learnt: bool = False) -> Check:
    """Whether a classifier knows its classes better than chance.

    Few images only warn.

    Args:
        tag_map (float): Mean average precision over the classes, in per cent.
        tags (np.ndarray): Image labels of the images that it was measured on,
            multi-hot, background first, ``(N, C)``.
        learnt (bool): Whether these images are those of the training, of which a
            classifier knows more than of others. Defaults to False.
    """
    shown = np.asarray(tags)[:, 1:].sum(0)
    chance = 100 * float(np.mean([
        chance_precision(int(count), len(tags)) for count in shown if count]))
    skill = (tag_map - chance) / max(100 - chance, 1e-6)
    where = ' that it learnt from' if learnt else ' that it has not learnt from'
    text = (f'tag mAP {tag_map:.1f} on {len(tags)} photos{where}, by chance '
            f'{chance:.1f}')
    poor = skill < LEAST_SKILL
    few = len(tags) < FEW_TAGGED
    if poor:
        text += ('; the classifier has learnt little. Train longer, add photos, or '
                 'drop classes that nearly every photo shows')
    elif learnt:
        text += '; of other photos it knows less'
    return Check('tag mAP', few or not poor, tag_map, text, warning=poor)


def chance_precision(positives: int, count: int) -> float:
    """The expected average precision of a random order.

    Args:
        positives (int): How many of the items are to be found.
        count (int): How many items there are, at least one.

    Returns:
        float: More than their share, above all among few items: Bestgen, "Exact
        expected average precision of the random baseline for system evaluation",
        2015.
    """
    harmonic = sum(1 / rank for rank in range(1, count + 1))
    others = (positives - 1) / max(count - 1, 1)
    return (harmonic + others * (count - harmonic)) / count


def check_class_ious(ious: Mapping[str, float]) -> list[Check]:
    """Whether the seeds of each class lie on it; of those that do not, it warns.

    Args:
        ious (Mapping[str, float]): Class -> IoU of its seeds on masks, in per cent,
            background first; not a number where no mask shows it.
    """
    return [
        Check(f'class {name}', True, iou, f'{name!r} is hardly found: the IoU of its '
              f'seeds is {iou:.1f} on the masks that choose. Look at its photos in '
              'the report; add photos of it alone and larger, or drop it',
              warning=True)
        for name, iou in list(ious.items())[1:] if iou < MISSED]


def check_stages(scores: Mapping[str, float]) -> list[Check]:
    """Whether no stage of a training has lost what the stages before it had learnt.

    Args:
        scores (Mapping[str, float]): Stage -> mIoU of its seeds on masks, at its best
            threshold, in per cent; in the order of training.
    """
    best, checks = '', []
    for stage, score in scores.items():
        if best and score < scores[best] - NOTED_FALL:
            kept = score / scores[best]
            text = (f'{stage} is {scores[best] - score:.1f} points below {best}: mIoU '
                    f'{score:.1f} after {scores[best]:.1f}')
            if kept < LEAST_KEPT:
                text += (f'. The training has lost most of what it knew after {best}. '
                         f'Try a method that ends there (--method cam), more photos, '
                         'or a lower learning rate; to go on all the same takes the '
                         'best stage')
            checks.append(Check(f'stage {stage}', kept >= LEAST_KEPT, kept, text,
                                warning=True))
        if not best or score > scores[best]:
            best = stage
    if len(scores) > 1 and not checks:
        checks.append(Check('stages', True, 1., 'no stage is worse than one before it'))
    return checks
