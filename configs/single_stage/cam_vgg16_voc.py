# The CAM baseline of the same training as single_stage_vgg16_voc.py.
# python tools/train.py configs/single_stage/cam_vgg16_voc.py
_base_ = [
    '../_base_/models/cam_wide-r38.py', '../_base_/datasets/voc_single_stage_448.py',
    '../_base_/schedules/single_stage_voc.py', '../_base_/default_runtime.py'
]

model = dict(
    backbone=dict(
        _delete_=True,
        type='VGG16FC7',
        out_indices=(3, ),
        frozen_stages=1,
        # tools/model_converters/psa2mmwsss.py writes it.
        init_cfg=dict(type='Pretrained', checkpoint='pretrain/vgg16_fc7_in1k.pth')),
    decode_head=dict(in_channels=1024, in_index=0, bg_thr=0.1))
train_cfg = dict(max_iters=4627, val_interval=4627)
custom_hooks = None
