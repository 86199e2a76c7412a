# A narrow decoder on frozen MobileNetV1 features at stride 16, small enough for a
# CPU. With ImageNet's features 200 iterations are too few; begin with those of the
# CAM network: --cfg-options load_from=CHECKPOINT of
# ../cam/cam_mobilenetv1_animals.py.
# python tools/train.py \
#     configs/single_stage/single_stage_mobilenetv1_animals.py
_base_ = [
    '../_base_/models/single_stage_wide-r38.py',
    '../_base_/datasets/animals_single_stage.py',
    '../_base_/schedules/single_stage_voc.py', '../_base_/default_runtime.py'
]

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
        dilations=(1, 2, 4, 6),
        num_classes=7))
# The images are small; as in training, none is padded.
tta_model = dict(pad_size=None)
train_dataloader = dict(batch_size=8)
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='AdamW', lr=2e-4, weight_decay=0.01),
    paramwise_cfg=dict(bias_mult=1.))
train_cfg = dict(max_iters=600, val_interval=600)
custom_hooks = [
    dict(
        type='StageSwitchHook',
        stages=[
            dict(name='pretrain', iters=200),
            dict(name='self_train', iters=400),
        ])
]
