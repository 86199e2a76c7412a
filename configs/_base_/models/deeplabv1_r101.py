# DeepLab-v1 as SEAM and its successors train it (protocol B of
# configs/deeplab): a deep-stem ResNet at stride 8 whose statistics adapt while
# the weights of its normalisation do not.
_base_ = './imagenet_rgb.py'

data_preprocessor = dict(_base_.data_preprocessor, size=(448, 448))
model = dict(
    type='EncoderDecoder',
    data_preprocessor=data_preprocessor,
    backbone=dict(
        type='ResNetV1c',
        depth=101,
        strides=(1, 2, 1, 1),
        dilations=(1, 1, 2, 4),
        contract_dilation=True,
        norm_cfg=dict(type='BN', requires_grad=False),
        norm_eval=False,
        init_cfg=dict(type='Pretrained', checkpoint='open-mmlab://resnet101_v1c')),
    decode_head=dict(
        type='LargeFOVHead',
        in_channels=2048,
        in_index=3,
        channels=512,
        dilation=12,
        num_classes=21,
        norm_cfg=dict(type='BN', momentum=3e-4, requires_grad=False),
        align_corners=True,
        loss_decode=dict(type='PixelCrossEntropyLoss')),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
