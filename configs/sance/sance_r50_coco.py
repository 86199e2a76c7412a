# python tools/train.py configs/sance/sance_r50_coco.py
_base_ = [
    '../_base_/models/sance_r101.py', '../_base_/datasets/coco_sance.py',
    '../_base_/schedules/sance_16e.py', '../_base_/default_runtime.py'
]

model = dict(
    backbone=dict(depth=50, init_cfg=dict(checkpoint='torchvision://resnet50')),
    decode_head=dict(num_classes=81),
    auxiliary_head=dict(num_classes=81))
# 16 epochs of the 82,081 images with tags at batch 10.
train_cfg = dict(max_iters=131328, val_interval=8208)
param_scheduler = dict(end=131329)
