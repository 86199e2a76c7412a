# Views of DeiT's training, as timm makes them and mmpretrain does, too; FSAE's two
# views; and scale 1 with its mirror image for seeds. Colours are BGR.
image_size = 224
mean = (103.53, 116.28, 123.675)
crop = dict(
    type='mmpretrain.RandomResizedCrop',
    scale=image_size,
    backend='pillow',
    interpolation='bicubic')
# timm's rand-m9-mstd0.5-inc1.
increasing = [
    dict(type='mmpretrain.AutoContrast'),
    dict(type='mmpretrain.Equalize'),
    dict(type='mmpretrain.Invert'),
    dict(type='mmpretrain.Rotate', magnitude_range=(0, 30)),
    dict(type='mmpretrain.Posterize', magnitude_range=(4, 0)),
    dict(type='mmpretrain.Solarize', magnitude_range=(256, 0)),
    dict(type='mmpretrain.SolarizeAdd', magnitude_range=(0, 110)),
    dict(type='mmpretrain.ColorTransform', magnitude_range=(0, 0.9)),
    dict(type='mmpretrain.Contrast', magnitude_range=(0, 0.9)),
    dict(type='mmpretrain.Brightness', magnitude_range=(0, 0.9)),
    dict(type='mmpretrain.Sharpness', magnitude_range=(0, 0.9)),
    *[
        dict(type=f'mmpretrain.{kind}', magnitude_range=(0, most), direction=way)
        for kind, most in (('Shear', 0.3), ('Translate', 0.45))
        for way in ('horizontal', 'vertical')
    ]
]
deit_pipeline = [
    dict(type='SetRandomState'),
    dict(type='LoadPILImage'),
    crop,
    dict(type='RandomFlip', prob=0.5),
    dict(
        type='mmpretrain.RandAugment',
        policies=increasing,
        num_policies=2,
        magnitude_level=9,
        magnitude_std=0.5,
        hparams=dict(pad_val=(104, 116, 124), interpolation='bicubic')),
    dict(
        type='mmpretrain.RandomErasing',
        erase_prob=0.25,
        mode='rand',
        min_area_ratio=0.02,
        max_area_ratio=1 / 3,
        fill_color=mean,
        fill_std=(57.375, 57.12, 58.395)),
    dict(type='PackWeakInputs')
]
# FSAE's weak view has a crop and colour jitter; what RandAugment does to colours
# makes its strong one.
fsae_pipeline = [
    *deit_pipeline[:4],
    dict(
        type='mmpretrain.ColorJitter',
        brightness=0.3, contrast=0.3, saturation=0.3, hue=0.1),
    dict(type='StrongView'),
    dict(type='PackWeakInputs')
]
flips_and_packing = [
    [
        dict(type='RandomFlip', prob=0., direction='horizontal'),
        dict(type='RandomFlip', prob=1., direction='horizontal')
    ],
    [dict(type='LoadMask', optional=True)],
    [dict(type='PackWeakInputs')],
]
one_scale_pipeline = [
    dict(type='LoadPILImage'),
    dict(
        type='TestTimeAug',
        transforms=[[dict(type='PILRescale', scale=1.0)], *flips_and_packing])
]
