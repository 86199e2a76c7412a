# python tools/train.py configs/deeplab/deeplabv3plus_r101_voc.py
_base_ = [
    '../_base_/models/deeplabv3plus_r101.py', '../_base_/datasets/voc_pseudo_448.py',
    '../_base_/schedules/deeplabv3_20k.py', '../_base_/default_runtime.py'
]

train_dataloader = dict(batch_size=16)
