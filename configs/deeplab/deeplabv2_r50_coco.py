_base_ = './deeplabv2_r101_coco.py'

model = dict(
    backbone=dict(
        depth=50, init_cfg=dict(checkpoint='open-mmlab://detectron2/resnet50_caffe')))
