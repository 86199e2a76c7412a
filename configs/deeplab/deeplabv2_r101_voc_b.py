# "DeepLab-v2" of protocol B: concatenated branches with image pooling.
_base_ = './deeplabv1_r101_voc.py'

model = dict(
    decode_head=dict(
        _delete_=True,
        type='ConcatASPPHead',
        in_channels=2048,
        in_index=3,
        channels=256,
        dilations=(6, 12, 18, 24),
        num_classes=21,
        norm_cfg=dict(type='BN', momentum=3e-4, requires_grad=False),
        align_corners=True,
        loss_decode=dict(type='PixelCrossEntropyLoss')))
