# SANCE: a ResNet-101 at stride 8 (dilations 2 and 4), statistics frozen, whose
# stem and four stages feed a contour branch and whose last stage feeds the head
# of DeepLab v2.
_base_ = './imagenet_rgb.py'

data_preprocessor = dict(_base_.data_preprocessor, size=(512, 512))
model = dict(
    type='SANCE',
    data_preprocessor=data_preprocessor,
    backbone=dict(
        type='StemResNet',
        depth=101,
        num_stages=4,
        out_indices=(0, 1, 2, 3),
        strides=(1, 2, 1, 1),
        dilations=(1, 1, 2, 4),
        norm_eval=True,
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet101')),
    # Eq. 4 has no factor 1/2 before the sum, unlike IRN's code.
    decode_head=dict(
        type='ContourHead',
        in_channels=(64, 256, 512, 1024, 2048),
        num_classes=21,
        detach_inputs=False,
        align_corners=False,
        loss_decode=dict(type='PathAffinityLoss', radius=10, loss_weight=2.)),
    auxiliary_head=dict(
        type='SummedASPPHead',
        in_channels=2048,
        in_index=4,
        dilations=(6, 12, 18, 24),
        num_classes=21,
        align_corners=False,
        loss_decode=dict(type='PixelCrossEntropyLoss')),
    # Workers of the CRF, for each process that trains.
    crf_jobs=4,
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
tta_model = dict(type='SANCETTAModel')
# For the rows of Table 1 that propagate the CAM, by tools/walk_seeds.py.
walk = dict(type='WalkLabel', refiner=dict(type='RandomWalk', radius=5), bg_thr=0.25)
walk_tta_model = dict(type='WalkTTAModel')
