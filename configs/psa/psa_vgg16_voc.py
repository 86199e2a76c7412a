# AffinityNet on VGG-16, for the maps of cam_vgg16_voc.py.
# python tools/train.py configs/psa/psa_vgg16_voc.py
_base_ = './psa_wide-r38_voc.py'

# BGR less Caffe's mean, without a deviation.
model = dict(
    data_preprocessor=dict(
        mean=[104.008, 116.669, 122.675], std=[1., 1., 1.], bgr_to_rgb=False),
    backbone=dict(
        _delete_=True,
        type='VGG16FC7',
        fc6_dilation=4,
        frozen_stages=2,
        # tools/model_converters/psa2mmwsss.py writes it.
        init_cfg=dict(type='Pretrained', checkpoint='pretrain/vgg16_20m_in1k.pth')),
    decode_head=dict(in_channels=[512, 512, 1024], group_width=8))
# The normalisation learns at the rates of the trunk.
optim_wrapper = dict(
    paramwise_cfg=dict(custom=[
        dict(pattern=r'\.gn\.weight', lr_mult=1.),
        dict(pattern=r'\.gn\.bias', lr_mult=2., decay_mult=0.),
    ]))
