# IRN on frozen MobileNetV1 features at stride 16, small enough for a CPU. Crops
# are half as large as IRN's, and so is the radius of pairs.
# python tools/train.py configs/irn/irn_mobilenetv1_animals.py
_base_ = [
    '../_base_/models/irn_r50.py', '../_base_/datasets/animals_boundary.py',
    '../_base_/schedules/irn_3e.py', '../_base_/default_runtime.py'
]

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
    decode_head=dict(
        in_channels=in_channels, num_classes=7, loss_decode=dict(radius=6)),
    auxiliary_head=dict(
        in_channels=in_channels,
        reduced_channels=(32, 32, 64, 64, 64),
        groups=(4, 4, 4, 4, 4),
        fused_channels=64,
        num_classes=7,
        loss_decode=dict(radius=6)))
# The largest image.
walk_tta_model = dict(pad_size=320)
# Three epochs of 400 photos.
train_cfg = dict(max_iters=150)
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='AdamW', lr=1e-3, weight_decay=0.01),
    paramwise_cfg=dict(custom=[]))
param_scheduler = dict(end=151)
custom_hooks = [
    dict(type='MeanShiftHook', crop_size=256, dataloader=_base_.mean_shift_dataloader)
]
