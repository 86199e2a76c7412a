# DeepLab-v1 of protocol B on WideResNet38.
_base_ = './deeplabv1_r101.py'

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
