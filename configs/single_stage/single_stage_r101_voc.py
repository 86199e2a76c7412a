# python tools/train.py configs/single_stage/single_stage_r101_voc.py
_base_ = './single_stage_r50_voc.py'

model = dict(
    backbone=dict(depth=101, init_cfg=dict(checkpoint='torchvision://resnet101')))
optim_wrapper = dict(optimizer=dict(lr=0.001))
