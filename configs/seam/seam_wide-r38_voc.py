# Eight epochs of VOC train_aug at batch 8.
# python tools/train.py configs/seam/seam_wide-r38_voc.py
_base_ = [
    '../_base_/models/seam_wide-r38.py', '../_base_/datasets/voc_weak.py',
    '../_base_/schedules/wseg_poly.py', '../_base_/default_runtime.py'
]

train_pipeline = [
    *_base_.train_pipeline[:2],
    dict(type='RandomResizeLong', min_long=448, max_long=768),
    dict(type='RandomFlip', prob=0.5),
    dict(
        type='mmpretrain.ColorJitter',
        brightness=0.3, contrast=0.3, saturation=0.3, hue=0.1),
    dict(_base_.train_pipeline[-2], crop_size=(448, 448)),
    dict(type='PackWeakInputs')
]
train_dataloader = dict(batch_size=8, dataset=dict(pipeline=train_pipeline))
train_cfg = dict(max_iters=10576, val_interval=10576)
optim_wrapper = dict(optimizer=dict(lr=0.01))
param_scheduler = dict(end=10577)
