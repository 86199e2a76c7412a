# ResNet-50 of IRN's CAM network: stride 16 without dilation, statistics frozen,
# stem and the first two layers never trained.
_base_ = './imagenet_rgb.py'

data_preprocessor = dict(_base_.data_preprocessor, size=(512, 512))
model = dict(
    type='WeakSegmentor',
    data_preprocessor=data_preprocessor,
    backbone=dict(
        type='ResNet',
        depth=50,
        num_stages=4,
        out_indices=(0, 1, 2, 3),
        strides=(1, 2, 2, 1),
        dilations=(1, 1, 1, 1),
        norm_eval=True,
        frozen_stages=2,
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50')),
    decode_head=dict(type='CAMHead', in_channels=2048, num_classes=21),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
tta_model = dict(type='CAMTTAModel')
