# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The ESOL config for VOC, shrunk to train in a second."""

import uuid

from mmengine.config import Config

from mmwsss.utils import project_path

STAGES = ('classify', 'expand', 'shrink')


def esol_config(voc_root, work_dir, batch_size: int = 4, **options) -> Config:
    """Two iterations a stage on generated scenes, every one checkpointed."""
    cfg = Config.fromfile(project_path('configs', 'esol', 'esol_r50_voc.py'))
    for number in range(3):
        options[f'custom_hooks.0.stages.{number}.iters'] = 2
    cfg.merge_from_dict({
        'experiment_name': uuid.uuid4().hex,
        'visualizer.name': uuid.uuid4().hex,
        'work_dir': str(work_dir),
        'log_level': 'ERROR',
        'default_hooks.checkpoint.interval': 1,
        'default_hooks.checkpoint.max_keep_ckpts': -1,
        'model.data_preprocessor.size': (64, 64),
        'model.backbone.depth': 18,
        'model.backbone.base_channels': 4,
        'model.backbone.init_cfg': None,
        'model.decode_head.in_channels': 32,
        'model.decode_head.num_classes': 7,
        # Far enough for the offsets to matter.
        'model.decode_head.offset_std': 0.1,
        'train_dataloader.batch_size': batch_size,
        **options
    })
    for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        cfg[loader].num_workers = 0
        cfg[loader].persistent_workers = False
        dataset = cfg[loader].dataset
        dataset.type = 'WeakDemoDataset'
        dataset.data_root = str(voc_root)
        dataset.label_file = 'image_labels.json'
        split = 'train' if loader == 'train_dataloader' else 'val'
        dataset.ann_file = f'ImageSets/Segmentation/{split}.txt'
        for transform in dataset.pipeline:
            if transform['type'] == 'RandomCropPad':
                transform.crop_size = 64
            if transform['type'] == 'RandomResizeLong':
                transform.update(min_long=48, max_long=64)
    return cfg
