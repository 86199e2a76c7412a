# MCTformer's DeepLab v1: WideResNet38 of a classifier, whose statistics and first
# convolution stay as they are, and two dilated convolutions. Its code hands the
# weight decay to SGD's momentum, which leaves hardly any of either.
_base_ = '../../../../configs/_base_/models/imagenet_rgb.py'

data_preprocessor = dict(_base_.data_preprocessor, size=(321, 321))
model = dict(
    type='EncoderDecoder',
    data_preprocessor=data_preprocessor,
    backbone=dict(
        type='WideResNet38',
        frozen_stages=1,
        # tools/model_converters/psa2mmwsss.py writes it.
        init_cfg=dict(
            type='Pretrained',
            checkpoint='pretrain/psa_cls_wide-r38_voc.pth',
            prefix='backbone.')),
    decode_head=dict(
        type='DilatedPairHead',
        in_channels=4096,
        in_index=3,
        channels=512,
        dilation=12,
        num_classes=21,
        align_corners=False,
        loss_decode=dict(type='PixelCrossEntropyLoss')),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
# The authors draw one scale for a batch; here each image has its own.
r38_pipeline = [
    dict(type='SetRandomState'),
    dict(type='LoadPILImage'),
    dict(type='LoadMask'),
    dict(type='RandomRescale', min_scale=0.7, max_scale=1.3),
    dict(type='RandomFlip', prob=0.5),
    # pad_val is the mean of the data preprocessor, in BGR.
    dict(type='RandomCropPad', crop_size=321, pad_val=(103.53, 116.28, 123.675)),
    dict(type='PackSegInputs')
]
tta_model = dict(type='MaxTTAModel')
tta_pipeline = [
    dict(type='LoadPILImage'),
    dict(
        type='TestTimeAug',
        transforms=[[
            dict(type='Resize', scale_factor=s, keep_ratio=True)
            for s in (0.5, 0.75, 1.0, 1.25, 1.5)
        ], [dict(type='LoadMask', optional=True)], [dict(type='PackSegInputs')]])
]
# Thirty epochs of VOC train_aug at batch 4.
train_cfg = dict(type='IterBasedTrainLoop', max_iters=79350, val_interval=79350)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=7e-4, momentum=1e-5, weight_decay=0.),
    constructor='WeakOptimWrapperConstructor',
    paramwise_cfg=dict(head_mult=10.))
# The factor is (1 - t / 79350)**0.9 at step t.
param_scheduler = dict(
    type='PolyLR', power=0.9, eta_min=0., begin=0, end=79351, by_epoch=False)
