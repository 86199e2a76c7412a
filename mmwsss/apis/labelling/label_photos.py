# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import platform
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from mmengine.config import Config, ConfigDict
from mmengine.device import get_device
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS

from mmwsss.datasets.image_io import voc_palette
from mmwsss.engine import augmented_loader, image_loader, load_checkpoint_file
from mmwsss.evaluation.label_checks import LabelSums
from mmwsss.shards import ShardMeta
from mmwsss.shards.files import require
from mmwsss.utils import check_keys, load_config, read_config
from mmwsss.utils.digest import digest_checkpoint, digest_value
from mmwsss.utils.nested import innermost_dataset
from mmwsss.utils.parallel import WorkerPool, track_progress
from mmwsss.utils.renamed import renamed_arguments
from mmwsss.version import __version__

from ..image_model import (
    change_trained_config,
    dataset_meta,
    trained_meta,
)
from .counted_shards import READERS
from .inputs import InputImages
from .operator import LabelSettings, ViewModelSettings
from .outputs import OUTPUT_FORMATS, LabelFolder
from .parts import LabelParts, failure_of
from .ray_engine import label_by_ray

ENGINES = ('plain', 'ray')


@renamed_arguments(with_photos='with_images', photos_per_shard='images_per_shard')
def label_photos(config: str | Config,
                 checkpoint: str,
                 inputs: str | Sequence[str],
                 out: str,
                 tags: str | None = None,
                 label_rule: dict | None = None,
                 walk: tuple[str | Config, str] | None = None,
                 format: str = 'parquet',
                 with_images: bool = False,
                 images_per_shard: int = 500,
                 engine: str = 'plain',
                 workers: int = 0,
                 gpus: float | None = None,
                 device: str | None = None,
                 max_errors: int | None = 1000,
                 cfg_options: dict | None = None,
                 show_progress: bool = True) -> dict:
    """Make masks of images with tags, in one pass.

    Each image is decoded, its multi-scale class maps are merged to a seed, the seed
    walks if so asked, is refined and becomes a mask; nothing is stored in between.
    The masks are those of ``generate_seeds.py --labels-out``, on a CPU bit for bit,
    whichever engine runs and however many workers.

    Parts of ``images_per_shard`` images are written whole. A run that was killed goes
    on with those that are missing. An image that cannot be labelled is a row in
    ``errors.parquet``.

    Args:
        config (str | Config): Config file of the model, or a config.
        checkpoint (str): Its weights, where each worker can read them.
        inputs (str | Sequence[str]): A folder of images, a text file that lists them,
            shards (Parquet or tars), or a list of paths; also as URLs of fsspec.
        out (str): Folder or URL to write into.
        tags (str, optional): Table of tags, JSON or CSV. Defaults to None: the rows
            of the shards have them.
        label_rule (dict, optional): Config of the rule by which seeds become masks.
            Defaults to ``ThresholdLabel`` at 0.15, with a walk to the walk's rule.
        walk (tuple, optional): Config and checkpoint of the network that guides a
            walk of the seeds (IRN, PSA).
        format (str): ``'parquet'``, ``'webdataset'`` or ``'png'``. Defaults to
            ``'parquet'``.
        with_images (bool): Whether shards hold the images, too. Defaults to False.
        images_per_shard (int): Defaults to 500.
        engine (str): ``'plain'``, or ``'ray'``: Ray Data on this machine or on the
            cluster that ``RAY_ADDRESS`` names. Defaults to ``'plain'``.
        workers (int): Processes, or actors of Ray; 0 works in this process, by Ray in
            one actor. Defaults to 0.
        gpus (float, optional): Of each actor of Ray. Defaults to one where ``device``
            is a GPU.
        device (str, optional): Where models compute. Defaults to the accelerator, if
            there is one.
        max_errors (int, optional): More images that fail end the run. None never
            does. Defaults to 1000.
        cfg_options (dict, optional): Overrides of the config, if it is a file.
        show_progress (bool): Whether to show a bar. Defaults to True.

    Returns:
        dict: ``photos``, ``labelled``, ``errors`` (numbers), ``seconds`` and
        ``checks`` (texts); also written as ``summary.json``.

    Raises:
        FileExistsError: If ``out`` holds files that were made otherwise.
        ValueError: If an input or a tag is wrong, or too many images fail, or all.
        OSError: If something cannot be read or written.
        ImportError: If pyarrow, or what a URL or the engine needs, is absent.
    """
    _check_choices(format, engine, images_per_shard, workers, max_errors)
    require('pyarrow.parquet', 'label_photos')
    started = time.monotonic()
    settings = label_settings(config, checkpoint, label_rule, walk, device,
                              cfg_options)
    images = InputImages(inputs, tags)
    images.check_tags(settings.classes, str(tags))
    meta = ShardMeta(settings.classes, protocol(settings), versions())
    output = LabelFolder(out, format, meta, with_images)
    done = output.begin(dict(
        meta.protocol, classes=settings.classes, photos=images.digest(),
        tags=images.tags_digest(), format=format, with_photos=with_images,
        photos_per_shard=images_per_shard))
    total = images.num_parts(images_per_shard)
    sums, errors = LabelSums(settings.classes), []
    if done:
        print(f'{len(done)} of {total} parts are done, {total - len(done)} to go')
        with ThreadPoolExecutor(READERS) as pool:
            for account in pool.map(output.existing_account, sorted(done)):
                sums.merge(account['sums'])
                errors += account['errors']

    work = LabelParts(settings, output, images.row_tags)
    parts = images.parts(images_per_shard, done)
    if len(done) == total:
        accounts: Iterator[dict] = iter(())
    elif engine == 'ray':
        if gpus is None:
            gpus = 0 if settings.device == 'cpu' else 1
        accounts = label_by_ray(work, parts, max(workers, 1), gpus)
    else:
        accounts = _label_here(work, parts, workers)
    if show_progress:
        accounts = track_progress(accounts, total - len(done))
    for account in accounts:
        if 'failed' in account:
            raise failure_of(account)
        sums.merge(account['sums'])
        errors += account['errors']
        if max_errors is not None and len(errors) > max_errors:
            output.write_errors(errors)
            raise ValueError(
                f'{len(errors)} photos could not be labelled, more than {max_errors}; '
                f'{errors[-1][0]}: {errors[-1][1]}')
    output.write_errors(sorted(map(tuple, errors)))
    summary = dict(photos=len(images), labelled=sums.images, errors=len(errors),
                   seconds=time.monotonic() - started,
                   checks=[str(check) for check in sums.check()])
    output.write_summary(summary)
    if errors and not sums.images:
        raise ValueError(f'none of {len(errors)} photos could be labelled; '
                         f'{errors[0][0]}: {errors[0][1]}')
    return summary


def label_settings(config: str | Config,
                   checkpoint: str,
                   label_rule: dict | None = None,
                   walk: tuple[str | Config, str] | None = None,
                   device: str | None = None,
                   cfg_options: dict | None = None) -> LabelSettings:
    """How images are labelled; arguments of :func:`label_photos`.

    Raises:
        ValueError: If the config names no classes, or the rule needs what an image
            with tags does not have.
    """
    meta = trained_meta(load_checkpoint_file(checkpoint))
    if isinstance(config, str):
        config = load_config(config)
        change_trained_config(config, meta, cfg_options)
    check_keys(config, 'model')
    init_default_scope(config.get('default_scope', 'mmseg'))
    meta = meta or _dataset_classes(config)
    classes = list(meta['classes'])
    palette = [list(colour) for colour in
               meta.get('palette') or voc_palette(len(classes))]
    if label_rule is None and walk is None:
        label_rule = dict(type='ThresholdLabel', bg_thr=0.15)
    if label_rule is not None and getattr(
            MODELS.build(label_rule), 'uses_saliency', False):
        raise ValueError(f'{label_rule["type"]} needs saliency maps, which photos '
                         'with tags do not have: use generate_seeds.py')
    guides = walk_rule = None
    if walk is not None:
        guide_config, guide_checkpoint = walk
        if isinstance(guide_config, str):
            guide_config = read_config(guide_config)
        if 'walk' not in guide_config:
            raise ValueError(f'{guide_config.filename} has no walk')
        walk_rule = ConfigDict(guide_config.walk).to_dict()
        guides = _view_model(
            guide_config, guide_checkpoint,
            guide_config.get('walk_tta_model') or dict(type='WalkTTAModel'))
        load_checkpoint_file(guide_checkpoint)
    return LabelSettings(
        _view_model(config, checkpoint,
                    config.get('tta_model') or dict(type='CAMTTAModel')),
        classes, palette, label_rule, guides, walk_rule, device or get_device())


def read_trained_config(path: str, checkpoint: str,
                        cfg_options: dict | None = None) -> Config:
    """The config of a trained model.

    Args:
        path (str): The config file, see :func:`change_trained_config`.
        checkpoint (str): The weights.
        cfg_options (dict, optional): Overrides.
    """
    cfg = load_config(path)
    change_trained_config(
        cfg, trained_meta(load_checkpoint_file(checkpoint)), cfg_options)
    return cfg


def protocol(settings: LabelSettings) -> dict:
    """What decides the masks of images, as plain values."""
    parts = dict(rule=settings.rule, walk=settings.walk)
    for name, model in (('seeds', settings.seeds), ('guides', settings.guides)):
        if model is not None:
            parts[name] = dict(
                weights=digest_checkpoint(model.checkpoint),
                model=digest_value([model.tta_model, model.config['model']]),
                pipeline=digest_value(model.pipeline),
                fast=(model.config.get('default_hooks') or {}).get('fast_inference'))
    return parts


def versions() -> dict[str, str]:
    """What packages make the masks."""
    return dict(mmwsss=__version__, torch=torch.__version__,
                numpy=np.__version__, python=platform.python_version())


def _view_model(cfg: Config, checkpoint: str, tta_model: dict) -> ViewModelSettings:
    pipeline = ConfigDict(augmented_loader(cfg)['dataset']).to_dict()['pipeline']
    plain = cfg.to_dict()
    kept = ('model', 'custom_imports', 'default_scope', 'default_hooks')
    return ViewModelSettings(
        {key: plain[key] for key in kept if key in plain}, str(cfg.filename),
        checkpoint, ConfigDict(tta_model).to_dict(), pipeline)


def _dataset_classes(cfg: Config) -> dict:
    dataset = innermost_dataset(image_loader(cfg))
    meta = dataset_meta(dataset)
    classes = dataset.get('classes') or meta.get('classes')
    if not classes or isinstance(classes, str):
        raise ValueError(f'the checkpoint and {cfg.filename} name no classes')
    return dict(meta, classes=classes)


def _label_here(work: LabelParts, parts: Iterator, workers: int) -> Iterator[dict]:
    threads = torch.get_num_threads()
    try:
        with WorkerPool(workers, _same, work) as pool:
            yield from pool.map(parts)
    finally:
        torch.set_num_threads(threads)


def _same(work: LabelParts) -> LabelParts:
    return work


def _check_choices(format: str, engine: str, images_per_shard: int,
                   workers: int, max_errors: int | None) -> None:
    for name, value, known in (('format', format, OUTPUT_FORMATS),
                               ('engine', engine, ENGINES)):
        if value not in known:
            raise ValueError(f'{name} must be one of {", ".join(known)}, got '
                             f'{value!r}')
    if images_per_shard < 1 or workers < 0 or (max_errors or 0) < 0:
        raise ValueError(
            'images_per_shard must be at least 1, workers and max_errors 0, got '
            f'{images_per_shard}, {workers} and {max_errors}')
