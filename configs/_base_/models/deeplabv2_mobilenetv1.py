# DeepLab v2's head on MobileNetV1 at stride 16, small enough for a CPU.
model = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[127.5, 127.5, 127.5],
        std=[127.5, 127.5, 127.5],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
        size=(256, 256)),
    backbone=dict(
        type='mmpretrain.TIMMBackbone',
        model_name='mobilenetv1_100',
        features_only=True,
        output_stride=16,
        pretrained=True),
    decode_head=dict(
        type='SummedASPPHead',
        in_channels=1024,
        in_index=-1,
        dilations=(1, 2, 4, 6),
        num_classes=21,
        align_corners=False,
        loss_decode=dict(type='PixelCrossEntropyLoss')),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
