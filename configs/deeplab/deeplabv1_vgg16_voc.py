# python tools/train.py configs/deeplab/deeplabv1_vgg16_voc.py
_base_ = [
    '../_base_/models/deeplabv1_vgg16.py', '../_base_/datasets/voc_pseudo.py',
    '../_base_/schedules/deeplabv2_20k.py', '../_base_/default_runtime.py'
]

optim_wrapper = dict(optimizer=dict(lr=1e-3))
