_base_ = './deeplabv1_r101_coco.py'

model = dict(
    backbone=dict(depth=50, init_cfg=dict(checkpoint='open-mmlab://resnet50_v1c')))
