# The skeleton of the images that a trained segmentation model labels anew by their
# tags: two views and a loader. A data set fills in what it reads.
tta_pipeline = [
    dict(type='LoadPILImage'),
    dict(
        type='TestTimeAug',
        transforms=[[
            dict(type='RandomFlip', prob=0., direction='horizontal'),
            dict(type='RandomFlip', prob=1., direction='horizontal')
        ], [dict(type='LoadMask', optional=True)], [dict(type='PackWeakInputs')]])
]
seed_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(test_mode=True, pipeline=tta_pipeline))
tta_model = dict(type='SegmentorTTAModel', absent='shared')
