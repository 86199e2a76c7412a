# As for VOC; nobody published a schedule for COCO. Five epochs of train2014 at
# batch 16.
# python tools/train.py configs/psa/cam_wide-r38_coco.py
_base_ = [
    '../_base_/models/cam_wide-r38.py', '../_base_/datasets/coco_weak.py',
    '../_base_/schedules/wseg_poly.py', '../_base_/default_runtime.py'
]

model = dict(decode_head=dict(num_classes=81))
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
train_cfg = dict(max_iters=25865, val_interval=25865)
param_scheduler = dict(end=25866)
