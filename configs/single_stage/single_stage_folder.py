# Your own images; docs/en/own_photos.md says how to lay them out.
# python tools/train.py configs/single_stage/single_stage_folder.py
_base_ = [
    '../_base_/models/single_stage_r50.py', '../_base_/datasets/folder_single_stage.py',
    '../_base_/schedules/single_stage_voc.py', '../_base_/default_runtime.py'
]

# Your images may be of any size.
tta_model = dict(pad_size=None)
optim_wrapper = dict(optimizer=dict(lr=0.0005), paramwise_cfg=dict(bias_mult=1.))
# As many epochs as on VOC.
custom_hooks = [
    dict(
        type='StageSwitchHook',
        stages=[
            dict(name='pretrain', epochs=5, min_iters=300),
            dict(name='self_train', epochs=20, min_iters=1000),
        ])
]
