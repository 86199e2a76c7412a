# PSA's VGG-16: Caffe's colours, the square root of maps.
# python tools/train.py configs/psa/cam_vgg16_voc.py
_base_ = './cam_wide-r38_voc.py'

model = dict(
    data_preprocessor=dict(
        mean=[104.008, 116.669, 122.675], std=[1., 1., 1.], bgr_to_rgb=False),
    backbone=dict(
        _delete_=True,
        type='VGG16FC7',
        frozen_stages=2,
        # tools/model_converters/psa2mmwsss.py writes it.
        init_cfg=dict(type='Pretrained', checkpoint='pretrain/vgg16_20m_in1k.pth')),
    decode_head=dict(in_channels=1024))
train_pipeline = [
    *_base_.train_pipeline[:-2],
    dict(_base_.train_pipeline[-2], pad_val=(104.008, 116.669, 122.675)),
    _base_.train_pipeline[-1]
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
tta_model = dict(power=0.5)
