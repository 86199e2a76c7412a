# python tools/train.py configs/deeplab/deeplabv2_r101_coco.py
_base_ = [
    '../_base_/models/deeplabv2_r101.py', '../_base_/datasets/coco_pseudo.py',
    '../_base_/schedules/deeplabv2_20k.py', '../_base_/default_runtime.py'
]

model = dict(decode_head=dict(num_classes=81))
optim_wrapper = dict(optimizer=dict(lr=2e-4))
train_cfg = dict(max_iters=100000, val_interval=100000)
param_scheduler = dict(end=100001)
