# A narrow decoder on frozen MobileNetV1 features at stride 16, small enough for a
# CPU. With ImageNet's features 200 iterations are too few; begin with those of the
# CAM network: --cfg-options load_from=CHECKPOINT of
# ../cam/cam_mobilenetv1_animals.py.
# python tools/train.py \
#     configs/single_stage/single_stage_mobilenetv1_animals.py
_base_ = [
    '../_base_/models/single_stage_mobilenetv1.py',
    '../_base_/datasets/animals_single_stage.py',
    '../_base_/schedules/single_stage_voc.py', '../_base_/default_runtime.py'
]

model = dict(decode_head=dict(num_classes=7))
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
