# python tools/train.py configs/deeplab/deeplabv1_wide-r38_coco.py
_base_ = [
    '../_base_/models/deeplabv1_wide-r38.py', '../_base_/datasets/coco_pseudo_448.py',
    '../_base_/schedules/deeplabv1_20k.py', '../_base_/default_runtime.py'
]

model = dict(decode_head=dict(num_classes=81))
train_cfg = dict(max_iters=100000, val_interval=100000)
param_scheduler = dict(end=100002)
