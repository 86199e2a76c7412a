# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The methods' configs, shrunk to train in a second on generated scenes."""

import uuid

from mmengine.config import Config

from mmwsss.utils import project_path

STAGES = ('classify', 'expand', 'shrink')
# The masks stand in for labels of seeds, and for saliency.
MASKS = 'SegmentationClass'
METHODS = {
    'irn/irn_demo': {
        'model.backbone.stem_channels': 8,
        'model.decode_head.in_channels': (8, 8, 16, 32),
        'model.auxiliary_head.in_channels': (8, 8, 16, 32),
        'train_dataloader.dataset.data_prefix.seg_map_path': MASKS,
    },
    'psa/psa_demo': {
        'model.backbone.stem_channels': 8,
        'model.decode_head.in_channels': (8, 16, 32),
        'train_dataloader.dataset.data_prefix.seg_map_path': MASKS,
    },
    'seam/seam_demo': {
        'model.backbone.stem_channels': 8,
        'model.decode_head.in_channels': (8, 16, 32),
    },
    'sance/sance_demo': {
        'model.backbone.stem_channels': 8,
        'model.decode_head.in_channels': (8, 8, 16, 32),
        'model.auxiliary_head.in_channels': 32,
        'model.refine_by': 'saliency',
        'model.start_iter': 0,
        'model.saliency_thr': 0.01,
        # A fresh segmentation's scores are low.
        'model.bg_thr': 0.05,
        'train_dataloader.dataset.data_prefix': dict(
            img_path='JPEGImages', seg_map_path=MASKS, saliency_path=MASKS),
    },
    'fsae/fsae_cam_demo': {
        'model.start_iter': 1,
        'model.loss_fsae.threshold': 0.5,
        'model.loss_fsae.ring_threshold': 0.4,
        'model.decode_head.in_channels': 32,
    },
    'single_stage/single_stage_demo': {
        'model.backbone.stem_channels': 8,
        'model.decode_head.in_channels': (8, 32),
        'model.decode_head.channels': 8,
        # Keep more images than two iterations would.
        'model.decode_head.loss_mask': dict(type='SelfLabelLoss', discard=False),
    },
}
TAUGHT = ('fsae/fsae_cam_demo', 'single_stage/single_stage_demo')


def shrink(cfg: Config, voc_root, work_dir, batch_size: int = 4,
           validate: bool = False, **options) -> Config:
    """Two iterations a stage, else four, and a checkpoint of every one."""
    for number, hook in enumerate(cfg.get('custom_hooks') or []):
        for stage in range(len(hook.get('stages', []))):
            options[f'custom_hooks.{number}.stages.{stage}.iters'] = 2
    cfg.merge_from_dict({
        'experiment_name': uuid.uuid4().hex,
        # A visualizer is a global instance by its name.
        'visualizer.name': uuid.uuid4().hex,
        'work_dir': str(work_dir),
        'log_level': 'ERROR',
        'default_hooks.checkpoint.interval': 1,
        'default_hooks.checkpoint.max_keep_ckpts': -1,
        'train_cfg.max_iters': 4,
        'train_cfg.val_interval': 100,
        'train_dataloader.batch_size': batch_size,
        **options
    })
    if cfg.model.data_preprocessor.get('size'):
        cfg.model.data_preprocessor.size = (64, 64)
    if not validate:
        cfg.val_dataloader = cfg.val_evaluator = cfg.val_cfg = None
    users = [cfg.get(f'{name}_dataloader')
             for name in ('train', 'val', 'test', 'seed')]
    users += [hook.get('dataloader') for hook in cfg.get('custom_hooks') or []]
    for loader in filter(None, users):
        loader.update(num_workers=0, persistent_workers=False)
        loader.dataset.data_root = str(voc_root)
    for transform in cfg.train_dataloader.dataset.pipeline:
        if transform['type'] == 'RandomCropPad':
            transform.crop_size = 64
        if transform['type'] == 'RandomResizeLong':
            transform.update(min_long=48, max_long=64)
        if transform['type'] == 'mmpretrain.RandomResizedCrop':
            transform.scale = (64, 64)
    return cfg


def method_config(name: str, *args, teacher: bool | None = None,
                  **options) -> Config:
    """One of the methods, with its teacher unless said otherwise."""
    cfg = Config.fromfile(project_path('configs', *f'{name}.py'.split('/')))
    cfg = shrink(cfg, *args, **{
        'model.backbone.base_channels': 8, **METHODS[name], **options})
    if 'saliency_path' in cfg.train_dataloader.dataset.data_prefix:
        cfg.train_dataloader.dataset.pipeline.insert(
            3, dict(type='LoadSaliency'))
    if name in TAUGHT if teacher is None else teacher:
        hook = dict(type='EMAPseudoLabelHook', momentum=0.2)
        cfg.custom_hooks = [*(cfg.get('custom_hooks') or []), hook]
    return cfg


def esol_config(voc_root, work_dir, batch_size: int = 4, **options) -> Config:
    """ESOL's config for VOC, which validates."""
    cfg = Config.fromfile(project_path('configs', 'esol', 'esol_r50_voc.py'))
    for split in ('train', 'val', 'test'):
        lines = 'train' if split == 'train' else 'val'
        cfg[f'{split}_dataloader'].dataset.update(
            type='WeakDemoDataset', label_file='image_labels.json',
            ann_file=f'ImageSets/Segmentation/{lines}.txt')
    return shrink(cfg, voc_root, work_dir, batch_size, validate=True, **{
        'model.backbone.depth': 18,
        'model.backbone.base_channels': 4,
        'model.backbone.init_cfg': None,
        'model.decode_head.in_channels': 32,
        'model.decode_head.num_classes': 7,
        # Far enough for the offsets to matter.
        'model.decode_head.offset_std': 0.1,
        **options
    })
