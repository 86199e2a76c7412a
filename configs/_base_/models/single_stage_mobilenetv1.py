# A narrow decoder on frozen MobileNetV1 features at stride 16, small enough for a
# CPU.
_base_ = './single_stage_wide-r38.py'

model = dict(
    data_preprocessor=dict(mean=[127.5, 127.5, 127.5], std=[127.5, 127.5, 127.5]),
    backbone=dict(
        _delete_=True,
        type='mmpretrain.TIMMBackbone',
        model_name='mobilenetv1_100',
        features_only=True,
        output_stride=16,
        pretrained=True),
    norm_eval=True,
    frozen=('timm_model', ),
    decode_head=dict(
        in_channels=(128, 1024),
        in_index=(1, 4),
        channels=64,
        skip_channels=24,
        dilations=(1, 2, 4, 6)))
# The images are small; as in training, none is padded.
tta_model = dict(pad_size=None)
