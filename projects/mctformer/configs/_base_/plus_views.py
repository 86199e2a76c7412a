# MCTformer+'s crops of 448 pixels, and three scales with mirror images for seeds.
_base_ = './deit_views.py'

plus_pipeline = [
    *_base_.deit_pipeline[:2],
    dict(_base_.crop, scale=448),
    *_base_.deit_pipeline[3:],
]
three_scales_pipeline = [
    dict(type='LoadPILImage'),
    dict(
        type='TestTimeAug',
        transforms=[
            [dict(type='PILRescale', scale=s) for s in (1.0, 0.75, 1.25)],
            *_base_.flips_and_packing
        ])
]
