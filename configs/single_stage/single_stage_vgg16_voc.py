# python tools/train.py configs/single_stage/single_stage_vgg16_voc.py
_base_ = [
    '../_base_/models/single_stage_wide-r38.py',
    '../_base_/datasets/voc_single_stage_448.py',
    '../_base_/schedules/single_stage_voc.py', '../_base_/default_runtime.py'
]

model = dict(
    backbone=dict(
        _delete_=True,
        type='VGG16FC7',
        out_indices=(0, 3),
        frozen_stages=1,
        # tools/model_converters/psa2mmwsss.py writes it.
        init_cfg=dict(type='Pretrained', checkpoint='pretrain/vgg16_fc7_in1k.pth')),
    decode_head=dict(in_channels=(256, 1024), bg_power=1.))
tta_model = dict(pad_size=768, score_thr=0.3)
# 33 epochs.
train_cfg = dict(max_iters=21813)
custom_hooks = [
    dict(
        type='StageSwitchHook',
        stages=[
            dict(name='pretrain', iters=3305),
            dict(name='self_train', iters=18508),
        ])
]
