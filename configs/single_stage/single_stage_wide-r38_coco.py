# Not published. The schedule is that of VOC in epochs.
# python tools/train.py configs/single_stage/single_stage_wide-r38_coco.py
_base_ = [
    '../_base_/models/single_stage_wide-r38.py',
    '../_base_/datasets/coco_single_stage.py',
    '../_base_/schedules/single_stage_voc.py', '../_base_/default_runtime.py'
]

model = dict(decode_head=dict(num_classes=81))
# Images have up to 640 pixels a side.
tta_model = dict(pad_size=1280)
train_cfg = dict(max_iters=129325, val_interval=25865)
custom_hooks = [
    dict(
        type='StageSwitchHook',
        stages=[
            dict(name='pretrain', iters=25865),
            dict(name='self_train', iters=103460),
        ])
]
