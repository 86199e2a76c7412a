# ESOL on frozen MobileNetV1 features at stride 16, small enough for a CPU.
_base_ = './esol_r50.py'

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
    decode_head=dict(in_channels=1024, mid_channels=128))
