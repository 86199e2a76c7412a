# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""From a config to the runner of a training or of a test run."""

import logging

from mmengine.config import Config, ConfigDict
from mmengine.device import get_device
from mmengine.logging import MMLogger
from mmengine.runner import BaseLoop, Runner
from mmseg.registry import RUNNERS
from torch import nn
from torch.utils.data import Dataset

from mmwsss.datasets.image_ids import image_ids
from mmwsss.utils import check_keys

# What goes to the log file only: tables of hundreds of lines, and what a user can do
# nothing about.
_FILE_ONLY = (
    'Hooks will be executed', '"FileClient" will be deprecated',
    '"HardDiskBackend" is the alias', 'Distributed training is not used, all SyncBatch')


class WSSSRunner(Runner):
    """mmengine's runner, with a short console and known ids of images.

    The config, the environment and the table of hooks, 500 lines, go to the log
    file only. What writes a file for each image calls it by the image's path below
    its folder, so that no two images share one, see :func:`image_infos`.
    """

    def build_logger(self, *args, **kwargs) -> MMLogger:
        """The logger, with a filter before the console."""
        logger = super().build_logger(*args, **kwargs)
        for handler in logger.handlers:
            if type(handler) is logging.StreamHandler:
                handler.addFilter(_is_for_console)
        return logger

    def wrap_model(self, model_wrapper_cfg: dict | None,
                   model: nn.Module) -> nn.Module:
        """The model for this process, wrapped where there are several.

        PyTorch refuses to wrap a model of which nothing learns, such as a frozen CLIP,
        and there is nothing to synchronise.
        """
        learns = any(one.requires_grad for one in model.parameters())
        if self.distributed and not learns:
            return model.to(get_device())
        return super().wrap_model(model_wrapper_cfg, model)

    def build_val_loop(self, *args, **kwargs) -> BaseLoop:
        """The loop, whose writers know the ids of its images."""
        return _with_image_ids(super().build_val_loop(*args, **kwargs))

    def build_test_loop(self, *args, **kwargs) -> BaseLoop:
        """The loop, whose writers know the ids of its images."""
        return _with_image_ids(super().build_test_loop(*args, **kwargs))


def _with_image_ids(loop: BaseLoop) -> BaseLoop:
    """Tell a loop's metrics that write files how these are called.

    A sample tells at most the path of its image, and not the folder that its
    id begins in.
    """
    metrics = getattr(getattr(loop, 'evaluator', None), 'metrics', [])
    for metric in metrics:
        if hasattr(metric, 'image_ids'):
            metric.image_ids = image_ids(loop.dataloader.dataset)
    return loop


def _is_for_console(record: logging.LogRecord) -> bool:
    return record.funcName != '_log_env' and not record.getMessage().startswith(
        _FILE_ONLY)


def build_runner(cfg: Config, dataset: Dataset | None = None) -> Runner:
    """The runner of a config.

    Args:
        cfg (Config): The config.
        dataset (Dataset, optional): What to test on, already built. Defaults to
            None: what the config says.
    """
    if 'runner_type' in cfg:
        runner = RUNNERS.build(cfg)
    else:
        runner = WSSSRunner.from_cfg(cfg)
    if dataset is not None:
        # Not in the config, which is written to disk.
        runner._test_dataloader = dict(cfg.test_dataloader, dataset=dataset)
    return runner


def image_loader(cfg: Config) -> ConfigDict:
    """The data loader of all images: ``seed_dataloader``, else ``test_dataloader``.

    Raises:
        ValueError: Naming the config, if it has neither.
    """
    loader = cfg.get('seed_dataloader') or cfg.get('test_dataloader')
    if loader is None:
        raise ValueError(
            f'{cfg.filename} has neither seed_dataloader nor test_dataloader')
    return loader


def augmented_loader(cfg: Config) -> ConfigDict:
    """The :func:`image_loader`, with augmentations to merge.

    Where its pipeline has no ``TestTimeAug``, ``tta_pipeline`` replaces it.

    Args:
        cfg (Config): The config; its loader is changed in place.

    Raises:
        ValueError: Naming the config, if it lacks a loader or augmentations.
    """
    loader = image_loader(cfg)
    dataset = loader['dataset']
    if not any(step['type'] == 'TestTimeAug'
               for step in dataset.get('pipeline', [])):
        if 'tta_pipeline' not in cfg:
            raise ValueError(
                f'{cfg.filename}: seeds and walks need a pipeline with '
                'TestTimeAug in seed_dataloader, or a tta_pipeline')
        dataset['pipeline'] = cfg.tta_pipeline
    return loader


def make_test_run(cfg: Config, tta_model: dict, loader: dict,
                  checkpoint: str, amp: str | None = None) -> None:
    """Turn a config into one of a test run over all images, in place.

    The backbone computes as :class:`FastInferenceHook` lets it, unless the
    config's ``default_hooks.fast_inference`` is None.

    Args:
        cfg (Config): The config.
        tta_model (dict): What wraps its model.
        loader (dict): The data loader.
        checkpoint (str): The weights.
        amp (str, optional): The backbone's precision, ``'bf16'`` or ``'fp16'``.
            Defaults to None: the config's, else single precision.

    Raises:
        ValueError: If ``amp`` is asked for and the hook is left out.
    """
    check_keys(cfg, 'model')
    cfg.test_dataloader = loader
    cfg.model = ConfigDict(**tta_model, module=cfg.model)
    for part in ('train_dataloader', 'train_cfg', 'optim_wrapper',
                 'param_scheduler', 'val_dataloader', 'val_cfg',
                 'val_evaluator'):
        cfg[part] = None
    cfg.test_cfg = dict(type='TestLoop')
    cfg.load_from, cfg.resume = checkpoint, False
    hooks = cfg.setdefault('default_hooks', ConfigDict())
    fast = hooks.setdefault('fast_inference', ConfigDict())
    if fast is None:
        if amp:
            raise ValueError('half precision needs the hook fast_inference, which '
                             'default_hooks leaves out')
        hooks.pop('fast_inference')
        return
    fast.setdefault('type', 'mmseg.FastInferenceHook')
    if amp:
        fast['amp'] = amp
