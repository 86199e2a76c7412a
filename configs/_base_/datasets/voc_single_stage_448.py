# As voc_single_stage.py with crops of 448 pixels, and scales for backbones other
# than WideResNet-38.
_base_ = './voc_single_stage.py'

crop_size = (448, 448)
train_pipeline = [
    dict(type='SeedAugmentation'),
    dict(type='LoadPhoto'),
    dict(
        type='mmpretrain.RandomResizedCrop',
        scale=crop_size,
        crop_ratio_range=(0.9, 1.0),
        interpolation='bicubic',
        backend='pillow'),
    dict(type='RandomFlip', prob=0.5),
    dict(
        type='mmpretrain.ColorJitter',
        brightness=0.3,
        contrast=0.3,
        saturation=0.3,
        hue=0.1),
    dict(type='PackWeakInputs')
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
img_scales = [1.0, 0.75, 1.25, 1.5]
tta_pipeline = [
    dict(type='LoadPhoto'),
    dict(
        type='TestTimeAug',
        transforms=[[dict(type='PILRescale', scale=s) for s in img_scales],
                    [
                        dict(
                            type='RandomFlip',
                            prob=0.,
                            direction='horizontal'),
                        dict(
                            type='RandomFlip',
                            prob=1.,
                            direction='horizontal')
                    ], [dict(type='LoadMask', optional=True)],
                    [dict(type='PackWeakInputs')]])
]
seed_dataloader = dict(dataset=dict(pipeline=tta_pipeline))
