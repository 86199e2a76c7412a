# IRN on frozen MobileNetV1 features at stride 16, small enough for a CPU. Crops
# are half as large as IRN's, and so is the radius of pairs.
_base_ = './irn_r50.py'

# The first feature has stride 2, the second the stride 4 of the boundaries.
in_channels = [64, 128, 256, 512, 1024]
model = dict(
    data_preprocessor=dict(
        mean=[127.5, 127.5, 127.5], std=[127.5, 127.5, 127.5],
        size=(256, 256)),
    backbone=dict(
        _delete_=True,
        type='mmpretrain.TIMMBackbone',
        model_name='mobilenetv1_100',
        features_only=True,
        output_stride=16,
        pretrained=True),
    norm_eval=True,
    frozen=('timm_model', ),
    decode_head=dict(in_channels=in_channels, loss_decode=dict(radius=6)),
    auxiliary_head=dict(
        in_channels=in_channels,
        reduced_channels=(32, 32, 64, 64, 64),
        groups=(4, 4, 4, 4, 4),
        fused_channels=64,
        loss_decode=dict(radius=6)))
