# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The images of a run, cut into parts that one worker labels at a time."""

import hashlib
import os.path as osp
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from mmwsss.datasets.folder import find_images
from mmwsss.shards import ShardRow, is_sharded, open_shard, open_shards
from mmwsss.shards.files import filesystem, is_folder, is_remote, join, naming_errors
from mmwsss.structures import IMAGE_SUFFIXES, read_label_names
from mmwsss.utils import read_lines
from mmwsss.utils.image_files import paths_by_id

from .counted_shards import CountedShard, count_shards


@dataclass
class Part:
    """What one worker labels and writes as one file.

    Args:
        number (int): Its place in the run.
        images (list[tuple]): Id, path and tags of each image.
        slices (list[tuple]): Or rows of shards: location, first and behind the last.
    """

    number: int
    images: list[tuple[str, str, list[str] | None]] = field(default_factory=list)
    slices: list[tuple[str, int, int]] = field(default_factory=list)

    def rows(self, tags: dict[str, list[str]] | None) -> Iterator[ShardRow]:
        """The images, read as they are asked for.

        Args:
            tags (dict, optional): Class names by id, for rows of shards; they
                replace the rows' own.
        """
        for image_id, path, names in self.images:
            yield ShardRow(image_id, path=path, tags=names)
        for location, start, stop in self.slices:
            with closing(open_shard(location)) as shard:
                for row in shard.rows(start, stop):
                    if tags is not None:
                        row.tags = tags.get(row.id)
                    yield row


class InputImages:
    """All images of a run.

    Args:
        inputs (str | Sequence[str]): A folder of images, a text file that lists them
            (paths or URLs, one a line), shards (a ``.parquet`` or ``.tar`` or a
            folder of them), each also as a URL of fsspec; or a list of paths.
        tags (str, optional): Table of tags, JSON or CSV, see
            :func:`mmwsss.structures.read_label_names`. Defaults to None: the rows
            of shards have them.

    Raises:
        FileNotFoundError: If there is no such input.
        ValueError: If there is no image, ids cannot name files, or nothing has tags.
    """

    def __init__(self, inputs: str | Sequence[str], tags: str | None = None) -> None:
        self.tags = None if tags is None else read_label_names(tags)
        self._listed: list[tuple[str, str]] = []
        self._shards: list[CountedShard] = []
        if isinstance(inputs, str) and not inputs.endswith('.txt') and is_sharded(
                inputs):
            self._shards = count_shards(open_shards(inputs))
        else:
            self._listed = list(list_images(inputs).items())
            if self.tags is None:
                raise ValueError(f'{inputs} are photos without tags: give a table of '
                                 'tags')
        if not len(self):
            raise ValueError(f'{inputs} holds no photo')

    def __len__(self) -> int:
        return len(self._listed) or sum(shard.num_rows for shard in self._shards)

    @property
    def row_tags(self) -> dict[str, list[str]] | None:
        """dict | None: The table, if :meth:`Part.rows` needs it."""
        return self.tags if self._shards else None

    def digest(self) -> str:
        """What the parts are made of, as one short string.

        Of a folder or a list the names of the images count, of shards their ids and
        sizes, too: contents would all have to be read.
        """
        digest = hashlib.sha256()
        for image_id, _ in self._listed:
            digest.update(f'{image_id}\n'.encode())
        for shard in self._shards:
            digest.update(f'{osp.basename(shard.location)} {shard.content}\n'.encode())
        return digest.hexdigest()

    def tags_digest(self) -> str | None:
        """What the table of tags says, as one short string."""
        if self.tags is None:
            return None
        digest = hashlib.sha256()
        for image_id, names in self.tags.items():
            digest.update(f'{image_id}: {names}\n'.encode())
        return digest.hexdigest()

    def check_tags(self, classes: Sequence[str], source: str) -> None:
        """Refuse a table with a tag that is no class.

        Raises:
            ValueError: Naming the table, the image and the tag.
        """
        known = {*classes}
        for image_id, names in (self.tags or {}).items():
            if not known.issuperset(names):
                unknown = next(name for name in names if name not in known)
                raise ValueError(
                    f'{source}: image {image_id!r}: unknown class {unknown!r}, '
                    f'expected one of {", ".join(classes[1:])}')

    def num_parts(self, size: int) -> int:
        """How many parts of ``size`` images there are."""
        return -(-len(self) // size)

    def parts(self, size: int, done: set[int]) -> Iterator[Part]:
        """The parts that are not done.

        Args:
            size (int): Images of a part.
            done (set[int]): The numbers of those to leave out.
        """
        if self._listed:
            tags = self.tags or {}
            for number in range(self.num_parts(size)):
                if number not in done:
                    listed = self._listed[number * size:(number + 1) * size]
                    yield Part(number, [(one, path, tags.get(one))
                                        for one, path in listed])
            return
        number, room, slices = 0, size, []
        for location, count, _ in self._shards:
            first = 0
            while first < count:
                taken = min(room, count - first)
                slices.append((location, first, first + taken))
                first, room = first + taken, room - taken
                if not room:
                    if number not in done:
                        yield Part(number, slices=slices)
                    number, room, slices = number + 1, size, []
        if slices and number not in done:
            yield Part(number, slices=slices)


def list_images(inputs: str | Sequence[str]) -> dict[str, str]:
    """The path of each image of a folder or a list by its id, see :class:`InputImages`.

    The id is the path below the folder, or below the deepest folder that all listed
    images share, without suffix.
    """
    if not isinstance(inputs, str):
        return _with_ids([str(path) for path in inputs], 'the list of photos')
    if inputs.endswith('.txt'):
        folder = osp.dirname(inputs)
        lines = read_lines(inputs, 'list of photos')
        if any(is_remote(line) or osp.isabs(line) for line in lines):
            return _with_ids([join(folder, line) for line in lines], inputs)
        return paths_by_id(
            [(line, osp.join(folder, line)) for line in lines], inputs)
    if not is_remote(inputs):
        return find_images(inputs)
    if not is_folder(inputs):
        raise FileNotFoundError(f'there is no folder {inputs}')
    system, path = filesystem(inputs)
    with naming_errors(inputs):
        names = sorted(name for name in system.find(path)
                       if name.lower().endswith(IMAGE_SUFFIXES))
    root = path.rstrip('/') + '/'
    return paths_by_id([(name.removeprefix(root), system.unstrip_protocol(name))
                        for name in names], inputs)


def _with_ids(paths: list[str], source: str) -> dict[str, str]:
    """Paths by their ids, which begin below the folder that all share."""
    folders = {path[:path.rfind('/') + 1] for path in paths}
    shared = osp.commonprefix([folder.split('/')[:-1] for folder in folders])
    first = sum(len(part) + 1 for part in shared)
    return paths_by_id([(path[first:], path) for path in paths], source)
