# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Image labels: a table of class names on disk, multi-hot vectors inside."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from mmwsss.utils import atomic_write, check_image_ids
from mmwsss.utils.label_table import read_label_names, strip_image_suffix


def encode_tags(names: Iterable[str],
                classes: Sequence[str],
                ignored: Collection[str] = ()) -> np.ndarray:
    """Turn class names into a multi-hot vector.

    Args:
        names (Iterable[str]): Names of the classes present.
        classes (Sequence[str]): All classes, background first.
        ignored (Collection[str]): Names that are left out silently, as when
            a data set is reduced to some of its classes. Defaults to ().

    Returns:
        np.ndarray: uint8 of shape (num_classes,); background is always 1.

    Raises:
        ValueError: If a name is neither among the classes nor ignored.
    """
    index = {name: i for i, name in enumerate(classes)}
    labels = np.zeros(len(classes), dtype=np.uint8)
    labels[0] = 1
    for name in names:
        if name in index:
            labels[index[name]] = 1
        elif name not in ignored:
            raise ValueError(f'unknown class {name!r}, expected one of '
                             f'{", ".join(classes)}')
    return labels


def load_label_table(path: str,
                     classes: Sequence[str],
                     ignored: Collection[str] = ()) -> dict[str, np.ndarray]:
    """Load a label table as multi-hot vectors.

    Args:
        path (str): JSON or CSV table, see :func:`read_label_names`.
        classes (Sequence[str]): All classes, background first.
        ignored (Collection[str]): See :func:`encode_tags`. Defaults to ().

    Returns:
        dict[str, np.ndarray]: uint8 vector of shape (num_classes,) of each
        image id; background is always 1.

    Raises:
        ValueError: Naming the file, the id and the class, if a class is not
            known; also as :func:`read_label_names`.
    """
    table = {}
    for image_id, names in read_label_names(path).items():
        try:
            table[image_id] = encode_tags(names, classes, ignored)
        except ValueError as error:
            raise ValueError(f'{path}: image {image_id!r}: {error}') from error
    return table


def save_label_table(path: str, table: Mapping[str, Iterable[str]]) -> None:
    """Write a label table as JSON, one image a line, atomically.

    Args:
        path (str): The ``.json`` file to write.
        table (Mapping[str, Iterable[str]]): Class names of each image id.

    Raises:
        ValueError: If an id is none, see :func:`mmwsss.utils.check_image_ids`.
    """
    check_image_ids(table, path)
    for key in table:
        if strip_image_suffix(key) != key:
            raise ValueError(f'{path}: the id {key!r} ends in an image suffix; '
                             'rename the image')
    lines = [
        f'{json.dumps(key, ensure_ascii=False)}: '
        f'{json.dumps(list(names), ensure_ascii=False)}'
        for key, names in table.items()
    ]
    with atomic_write(path, 'w') as file:
        file.write('{\n' + ',\n'.join(lines) + '\n}\n')


def stack_tags(data_samples: list,
               num_classes: int | None = None,
               device: torch.device | str | None = None) -> Tensor:
    """Stack the image labels of a batch, foreground only.

    Args:
        data_samples (list[:obj:`SegDataSample`]): With ``tags``.
        num_classes (int, optional): How many classes the labels must have,
            background included. Defaults to None: any number.
        device (torch.device, optional): Where to put the result.

    Returns:
        Tensor: Multi-hot float labels of shape (N, C - 1).

    Raises:
        ValueError: Naming the image, if a sample has no image labels or those of
            another number of classes.
    """
    rows = []
    for sample in data_samples:
        labels = _labels_of(sample.metainfo, num_classes)
        if labels is None:
            raise ValueError(
                f'{sample.metainfo.get("img_path")} has no image labels')
        rows.append(labels[1:])
    return torch.as_tensor(np.stack(rows), dtype=torch.float32, device=device)


def present_classes(metainfo: Mapping,
                    num_classes: int,
                    probabilities: Tensor | None = None,
                    score_thr: float | None = None) -> Tensor:
    """Which foreground classes a prediction of an image may show.

    Its image labels say so; without them, its class probabilities; without
    those, every class may be there.

    Args:
        metainfo (Mapping): Meta information of the image, perhaps with
            ``tags``.
        num_classes (int): All classes, background included.
        probabilities (Tensor, optional): Class probabilities of shape (C - 1,).
        score_thr (float, optional): What a probability has to exceed. Defaults
            to None: probabilities rule out no class.

    Returns:
        Tensor: Bool of shape (C - 1,), where the probabilities are.

    Raises:
        ValueError: Naming the image, if its labels are of another number of
            classes.
    """
    device = None if probabilities is None else probabilities.device
    labels = _labels_of(metainfo, num_classes)
    if labels is not None:
        return torch.as_tensor(labels[1:] > 0, device=device)
    if probabilities is not None and score_thr is not None:
        return probabilities > score_thr
    return torch.ones(num_classes - 1, dtype=torch.bool, device=device)


def _labels_of(metainfo: Mapping, num_classes: int | None) -> np.ndarray | None:
    labels = metainfo.get('tags')
    if labels is None:
        return None
    labels = np.asarray(labels)
    if num_classes not in (None, len(labels)):
        raise ValueError(
            f'{metainfo.get("img_path")} has image labels of {len(labels)} '
            f'classes, the model has num_classes={num_classes} (background '
            'included)')
    return labels
