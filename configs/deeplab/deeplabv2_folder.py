# Your own images; docs/en/own_photos.md says how to lay them out.
# python tools/train.py configs/deeplab/deeplabv2_folder.py
_base_ = [
    '../_base_/models/deeplabv2_r101.py', '../_base_/datasets/folder_pseudo.py',
    '../_base_/schedules/deeplabv2_20k.py', '../_base_/default_runtime.py'
]

model = dict(
    backbone=dict(
        depth=50,
        init_cfg=dict(checkpoint='open-mmlab://detectron2/resnet50_caffe')))
train_cfg = dict(epochs=19, min_iters=1000)
