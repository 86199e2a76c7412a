# AffinityNet on ResNet-50 at stride 8, to refine the seeds of methods on that
# backbone, ESOL and others, with weights that download by themselves.
# python tools/train.py configs/psa/psa_r50_voc.py
_base_ = './psa_wide-r38_voc.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='ResNet',
        depth=50,
        num_stages=4,
        out_indices=(1, 2, 3),
        strides=(1, 2, 1, 1),
        dilations=(1, 1, 2, 4),
        contract_dilation=True,
        norm_eval=True,
        frozen_stages=2,
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50')),
    decode_head=dict(in_channels=[512, 1024, 2048], in_index=(0, 1, 2)))
optim_wrapper = dict(optimizer=dict(lr=0.01))
