# Your own images on a CPU; docs/en/own_photos.md says how to lay them out. With
# ImageNet's features a short training is too few; the recipe begins with those of a
# CAM network.
# python tools/train.py configs/single_stage/single_stage_mobilenetv1_folder.py
_base_ = [
    '../_base_/models/single_stage_mobilenetv1.py',
    '../_base_/datasets/folder_single_stage_224.py',
    '../_base_/schedules/single_stage_voc.py', '../_base_/default_runtime.py'
]

optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='AdamW', lr=2e-4, weight_decay=0.01),
    paramwise_cfg=dict(bias_mult=1.))
custom_hooks = [
    dict(
        type='StageSwitchHook',
        stages=[
            dict(name='pretrain', epochs=4, min_iters=100, cap_iters=2000),
            dict(name='self_train', epochs=8, min_iters=200, cap_iters=2000),
        ])
]
default_hooks = dict(logger=dict(interval=10))
