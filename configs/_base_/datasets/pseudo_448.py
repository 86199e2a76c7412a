# As pseudo.py, with the augmentation of protocol B (448-pixel crops) and its test
# at six scales with flip.
_base_ = './pseudo.py'

crop_size = (448, 448)
train_pipeline = [
    dict(type='SetRandomState'),
    dict(type='LoadPILImage'),
    dict(type='LoadMask'),
    dict(
        type='PhotoMetricDistortion',
        brightness_delta=10,
        contrast_range=(1., 1.),
        saturation_range=(0.9, 1.1),
        hue_delta=10),
    dict(type='RandomFlip', prob=0.5),
    # The long side of nearly every image of VOC is 500.
    dict(
        type='RandomResize',
        scale=(500, 500),
        ratio_range=(0.5, 1.5),
        keep_ratio=True,
        interpolation='bicubic'),
    # pad_val is the mean of the data preprocessor, in BGR.
    dict(type='RandomCropPad', crop_size=crop_size, pad_val=(103.53, 116.28, 123.675)),
    dict(type='PackSegInputs')
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
tta_model = dict(type='LogitTTAModel')
tta_pipeline = [
    dict(type='LoadPILImage'),
    dict(
        type='TestTimeAug',
        transforms=[
            [
                dict(
                    type='Resize',
                    scale_factor=s,
                    keep_ratio=True,
                    interpolation='bicubic') for s in (0.5, 0.75, 1.0, 1.25, 1.5, 1.75)
            ],
            [
                dict(type='RandomFlip', prob=0., direction='horizontal'),
                dict(type='RandomFlip', prob=1., direction='horizontal')
            ], [dict(type='LoadMask', optional=True)], [dict(type='PackSegInputs')]
        ])
]
