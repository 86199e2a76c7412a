# python tools/train.py configs/cam/cam_r50_coco.py
_base_ = [
    '../_base_/models/cam_r50.py', '../_base_/datasets/coco_weak.py',
    '../_base_/schedules/cam_5e.py', '../_base_/default_runtime.py'
]

model = dict(decode_head=dict(num_classes=81))
# Five epochs of train2014 at batch 16.
train_cfg = dict(max_iters=25865, val_interval=25865)
param_scheduler = dict(end=25866)
