# Table 1: SANCE whose pseudo labels are made from one view of the image.
_base_ = '../sance_r101_voc.py'

one_view_pipeline = [
    dict(type='LoadPILImage'),
    dict(
        type='TestTimeAug',
        transforms=[[dict(type='PILRescale', scale=1.0)],
                    [dict(type='LoadMask', optional=True)],
                    [dict(type='PackWeakInputs')]])
]
seed_dataloader = dict(dataset=dict(pipeline=one_view_pipeline))
