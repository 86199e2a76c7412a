# python tools/train.py configs/deeplab/deeplabv1_wide-r38_voc.py
_base_ = [
    '../_base_/models/deeplabv1_wide-r38.py', '../_base_/datasets/voc_pseudo_448.py',
    '../_base_/schedules/deeplabv1_20k.py', '../_base_/default_runtime.py'
]
