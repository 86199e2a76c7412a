# AffinityNet of PSA on WideResNet38, its labels and its walk.
_base_ = './imagenet_rgb.py'

data_preprocessor = dict(_base_.data_preprocessor, size=(448, 448))
model = dict(
    type='WeakSegmentor',
    data_preprocessor=data_preprocessor,
    backbone=dict(
        type='WideResNet38',
        # tools/model_converters/psa2mmwsss.py writes it.
        init_cfg=dict(type='Pretrained', checkpoint='pretrain/wide_resnet38_in1k.pth')),
    decode_head=dict(
        type='AffinityHead', in_channels=[512, 1024, 4096], num_classes=21),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
# Images are padded to a multiple of the stride only.
walk_tta_model = dict(type='WalkTTAModel', pad_size=8, pad_divisor=8)
# tools/refine_seeds.py --refiner config
label_rule = dict(type='PSALabel', low_alpha=4, high_alpha=32)
# tools/walk_seeds.py
walk = dict(
    type='WalkLabel',
    refiner=dict(type='AffinityWalk', radius=5, beta=8, steps=256),
    alpha=16)
