# The CAM baseline of the same training as single_stage_r101_voc.py.
# python tools/train.py configs/single_stage/cam_r101_voc.py
_base_ = './cam_r50_voc.py'

model = dict(
    backbone=dict(depth=101, init_cfg=dict(checkpoint='torchvision://resnet101')))
optim_wrapper = dict(optimizer=dict(lr=0.001))
