# DeepLab-v2 as deeplab-pytorch trains it (protocol A of configs/deeplab): a
# caffe-style ResNet at stride 8 with frozen statistics, BGR less the mean,
# three scales.
data_preprocessor = dict(
    type='SegDataPreProcessor',
    mean=[104.008, 116.669, 122.675],
    std=[1., 1., 1.],
    bgr_to_rgb=False,
    pad_val=0,
    seg_pad_val=255,
    size=(321, 321))
model = dict(
    type='MultiScaleSegmentor',
    scales=(0.5, 0.75),
    data_preprocessor=data_preprocessor,
    backbone=dict(
        type='CaffeResNet',
        depth=101,
        init_cfg=dict(
            type='Pretrained',
            checkpoint='open-mmlab://detectron2/resnet101_caffe')),
    decode_head=dict(
        type='SummedASPPHead',
        in_channels=2048,
        in_index=3,
        dilations=(6, 12, 18, 24),
        num_classes=21,
        align_corners=False,
        loss_decode=dict(type='PixelCrossEntropyLoss')),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
