# The wide stem (64, 64, 128 channels) of the published protocol B. Its weights
# have no public name: tools/model_converters/deeplab_pytorch2mmwsss.py converts
# resnet101s-03a0f310.pth.
_base_ = './deeplabv1_r101_voc.py'

model = dict(
    backbone=dict(
        stem_channels=128,
        init_cfg=dict(checkpoint='pretrain/resnet101s_mmwsss.pth')))
