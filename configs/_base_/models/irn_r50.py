# IRN on the frozen ResNet-50 of its CAM network: boundaries and displacements
# from the stem and the four stages.
_base_ = './imagenet_rgb.py'

data_preprocessor = dict(_base_.data_preprocessor, size=(512, 512))
in_channels = [64, 256, 512, 1024, 2048]
model = dict(
    type='WeakSegmentor',
    data_preprocessor=data_preprocessor,
    backbone=dict(
        type='StemResNet',
        depth=50,
        num_stages=4,
        out_indices=(0, 1, 2, 3),
        strides=(1, 2, 2, 1),
        dilations=(1, 1, 1, 1),
        norm_eval=True,
        frozen_stages=4,
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50')),
    decode_head=dict(
        type='ContourHead',
        in_channels=in_channels,
        num_classes=21,
        loss_decode=dict(type='PathAffinityLoss', radius=10)),
    # Instances alone need displacements.
    auxiliary_head=dict(
        type='DisplacementHead',
        in_channels=in_channels,
        num_classes=21,
        loss_decode=dict(type='DisplacementLoss', radius=10)),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
# Images smaller than the training crops are padded to them, larger ones to the
# next multiple of 16.
walk_tta_model = dict(type='WalkTTAModel', pad_size=512, pad_divisor=16)
walk = dict(
    type='WalkLabel',
    refiner=dict(type='RandomWalk', radius=5, beta=10, steps=256),
    bg_thr=0.25)
