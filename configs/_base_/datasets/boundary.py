# The skeleton of a data set for a boundary network: labels with undecided pixels
# to train on (IRNLabel), and images in two views whose seeds walk. A data set, such
# as voc_boundary.py, fills in what the three loaders read.
_base_ = './weak.py'

train_pipeline = [
    dict(type='SetRandomState'),
    dict(type='LoadPILImage'),
    dict(type='LoadMask'),
    dict(type='RandomRescale', min_scale=0.5, max_scale=1.5),
    *_base_.train_pipeline[3:5],
    dict(type='PackSegInputs')
]
walk_pipeline = [
    dict(type='LoadPILImage'),
    dict(
        type='TestTimeAug',
        transforms=[[
            dict(type='RandomFlip', prob=0., direction='horizontal'),
            dict(type='RandomFlip', prob=1., direction='horizontal')
        ], [dict(type='PackWeakInputs')]])
]
train_dataloader = dict(batch_size=32, dataset=dict(pipeline=train_pipeline))
# The images over which displacements are averaged when training ends.
mean_shift_dataloader = dict(
    batch_size=1,
    num_workers=4,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        test_mode=True,
        pipeline=[dict(type='LoadPILImage'),
                  dict(type='PackWeakInputs')]))
seed_dataloader = dict(dataset=dict(pipeline=walk_pipeline))
# What a boundary network learns shows in the labels after the walk.
val_dataloader = None
val_evaluator = None
test_dataloader = None
test_evaluator = None
