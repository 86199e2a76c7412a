# Fifteen epochs of VOC train_aug at batch 16.
# python tools/train.py configs/psa/cam_wide-r38_voc.py
_base_ = [
    '../_base_/models/cam_wide-r38.py', '../_base_/datasets/voc_weak.py',
    '../_base_/schedules/wseg_poly.py', '../_base_/default_runtime.py'
]

train_pipeline = [
    *_base_.train_pipeline[:2],
    dict(type='RandomResizeLong', min_long=256, max_long=512),
    dict(type='RandomFlip', prob=0.5),
    dict(
        type='mmpretrain.ColorJitter',
        brightness=0.3, contrast=0.3, saturation=0.3, hue=0.1),
    dict(_base_.train_pipeline[-2], crop_size=(448, 448)),
    dict(type='PackWeakInputs')
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
