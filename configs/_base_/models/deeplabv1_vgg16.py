# The original DeepLab-LargeFOV on VGG-16; crops and colours of protocol A.
data_preprocessor = dict(
    type='SegDataPreProcessor',
    mean=[104.008, 116.669, 122.675],
    std=[1., 1., 1.],
    bgr_to_rgb=False,
    pad_val=0,
    seg_pad_val=255,
    size=(321, 321))
model = dict(
    type='EncoderDecoder',
    data_preprocessor=data_preprocessor,
    backbone=dict(
        type='VGG16LargeFOV',
        init_cfg=dict(type='Pretrained', checkpoint='open-mmlab://vgg16_caffe')),
    decode_head=dict(
        type='LargeFOVHead',
        in_channels=512,
        in_index=-1,
        channels=1024,
        dilation=12,
        dropout_between=True,
        num_classes=21,
        align_corners=False,
        loss_decode=dict(type='PixelCrossEntropyLoss')),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
