# python tools/train.py configs/deeplab/deeplabv1_r101_voc.py
_base_ = [
    '../_base_/models/deeplabv1_r101.py', '../_base_/datasets/voc_pseudo_448.py',
    '../_base_/schedules/deeplabv1_20k.py', '../_base_/default_runtime.py'
]
