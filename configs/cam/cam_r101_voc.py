# python tools/train.py configs/cam/cam_r101_voc.py
_base_ = './cam_r50_voc.py'

model = dict(
    backbone=dict(depth=101, init_cfg=dict(checkpoint='torchvision://resnet101')))
