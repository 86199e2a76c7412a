# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The config of a tiny CAM model, on images in VOC's layout at ``root``."""

CONFIG = """
custom_imports = dict(imports=['mmwsss'], allow_failed_imports=False)
default_scope = 'mmseg'
env_cfg = dict(dist_cfg=dict(backend='nccl'))
log_level = 'WARNING'
model = dict(
    type='WeakSegmentor',
    data_preprocessor=dict(
        type='SegDataPreProcessor', mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375], bgr_to_rgb=True, size=(64, 64)),
    backbone=dict(
        type='ResNet', depth=18, base_channels=4, num_stages=2,
        out_indices=(0, 1), strides=(1, 2), dilations=(1, 1)),
    decode_head=dict(type='CAMHead', in_channels=8, num_classes=7),
    train_cfg=dict(), test_cfg=dict(mode='whole'))
tta_model = dict(type='CAMTTAModel')
tta_pipeline = [
    dict(type='LoadPILImage'),
    dict(type='TestTimeAug', transforms=[
        [dict(type='PILRescale', scale=s) for s in (1, .5)],
        [dict(type='RandomFlip', prob=p) for p in (0., 1.)],
        [dict(type='LoadMask', optional=True)],
        [dict(type='PackWeakInputs')]])]
dataset = dict(
    type='WeakDemoDataset', data_root={root!r},
    data_prefix=dict(img_path='JPEGImages'),
    ann_file='ImageSets/Segmentation/train.txt',
    label_file='image_labels.json', test_mode=True, pipeline=tta_pipeline)
seed_dataloader = dict(
    batch_size=1, num_workers=0, dataset=dataset,
    sampler=dict(type='DefaultSampler', shuffle=False))
val_dataloader = dict(
    batch_size=1, num_workers=0, dataset=dict(
        dataset, with_masks=True, data_prefix=dict(
            img_path='JPEGImages', seg_map_path='SegmentationClass')),
    sampler=dict(type='DefaultSampler', shuffle=False))
val_evaluator = dict(
    type='SeedMetric', protocol=dict(split='train', supervision='I'))
"""
