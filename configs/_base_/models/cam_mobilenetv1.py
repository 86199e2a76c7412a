# CAM on MobileNetV1 at stride 16, whose last eight blocks learn: small enough for a
# CPU.
_base_ = './cam_r50.py'

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
    frozen=('timm_model.conv_stem', 'timm_model.bn1', 'timm_model.blocks.0',
            'timm_model.blocks.1', 'timm_model.blocks.2'),
    decode_head=dict(in_channels=1024))
