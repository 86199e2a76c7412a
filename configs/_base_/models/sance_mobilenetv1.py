# SANCE on MobileNetV1 at stride 16, whose last eight blocks learn: small enough
# for a CPU.
_base_ = './sance_r101.py'

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
    # The first feature, at stride 2, is reduced to the second's size. Images are
    # smaller than VOC's, and so are the pairs of pixels.
    decode_head=dict(
        in_channels=(64, 128, 256, 512, 1024), loss_decode=dict(radius=5)),
    auxiliary_head=dict(in_channels=1024, dilations=(1, 2, 4, 6)),
    crf_jobs=0)
