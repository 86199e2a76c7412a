# Protocol B of configs/deeplab on WideResNet38.
# PYTHONPATH=. python tools/train.py projects/sipe/configs/deeplabv1_wide-r38_voc.py
_base_ = '../../../configs/deeplab/deeplabv1_r101_voc.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='WideResNet38',
        frozen_stages=-1,
        norm_eval=False,
        # tools/model_converters/psa2mmwsss.py writes it.
        init_cfg=dict(
            type='Pretrained',
            checkpoint='pretrain/wide_resnet38_in1k.pth')),
    decode_head=dict(in_channels=4096))
