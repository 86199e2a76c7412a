# SEAM on MobileNetV1 at stride 16, whose last eight blocks learn: small enough
# for a CPU.
# python tools/train.py configs/seam/seam_mobilenetv1_animals.py
_base_ = [
    '../_base_/models/seam_wide-r38.py', '../_base_/datasets/animals_weak.py',
    '../_base_/schedules/wseg_poly.py', '../_base_/default_runtime.py'
]

model = dict(
    data_preprocessor=dict(
        mean=[127.5, 127.5, 127.5], std=[127.5, 127.5, 127.5],
        size=(256, 256)),
    second_view=0.5,
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
    decode_head=dict(
        in_channels=[256, 512, 1024],
        in_index=(2, 3, 4),
        num_classes=7,
        dropout_ratio=0.))
train_cfg = dict(max_iters=300, val_interval=300)
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='AdamW', lr=1e-4, weight_decay=0.01))
param_scheduler = dict(end=301)
