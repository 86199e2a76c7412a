# MobileNetV1 at stride 16, whose last eight blocks learn, and a narrow decoder:
# small enough for a CPU.
# python tools/train.py \
#     configs/single_stage/single_stage_mobilenetv1_animals.py
_base_ = [
    '../_base_/models/single_stage_wide-r38.py',
    '../_base_/datasets/animals_single_stage.py',
    '../_base_/schedules/single_stage_voc.py',
    '../_base_/default_runtime.py',
]

model = dict(
    data_preprocessor=dict(
        mean=[127.5, 127.5, 127.5], std=[127.5, 127.5, 127.5]),
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
        in_channels=(128, 1024),
        in_index=(1, 4),
        channels=64,
        skip_channels=24,
        dilations=(1, 2, 4, 6),
        num_classes=7))
# The photos are small; as in training, none is padded.
tta_model = dict(pad_size=None)
train_dataloader = dict(batch_size=8)
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='AdamW', lr=1e-4, weight_decay=0.01),
    paramwise_cfg=dict(bias_mult=1.))
train_cfg = dict(max_iters=500, val_interval=500)
custom_hooks = [
    dict(
        type='StageSwitchHook',
        stages=[
            dict(name='pretrain', iters=200),
            dict(name='self_train', iters=300),
        ])
]
