# python tools/train.py configs/deeplab/deeplabv3_r101_coco.py
_base_ = [
    '../_base_/models/deeplabv3_r101.py', '../_base_/datasets/coco_pseudo_448.py',
    '../_base_/schedules/deeplabv3_20k.py', '../_base_/default_runtime.py'
]

model = dict(decode_head=dict(num_classes=81), auxiliary_head=dict(num_classes=81))
train_dataloader = dict(batch_size=16)
train_cfg = dict(max_iters=80000, val_interval=80000)
param_scheduler = dict(end=80000)
