# The skeleton of a data set with image labels: the views of CAM, loaders, and the
# score of seeds. A data set, such as voc_weak.py, fills in what each loader reads.
crop_size = (512, 512)
train_pipeline = [
    dict(type='SetRandomState'),
    dict(type='LoadPILImage'),
    dict(type='RandomResizeLong', min_long=320, max_long=640),
    dict(type='RandomFlip', prob=0.5),
    # pad_val is the mean of the data preprocessor, in BGR.
    dict(type='RandomCropPad', crop_size=crop_size, pad_val=(103.53, 116.28, 123.675)),
    dict(type='PackWeakInputs')
]
test_pipeline = [
    dict(type='LoadPILImage'),
    dict(type='LoadMask', optional=True),
    dict(type='PackWeakInputs')
]
img_scales = [1.0, 0.5, 1.5, 2.0]
tta_pipeline = [
    dict(type='LoadPILImage'),
    dict(
        type='TestTimeAug',
        transforms=[
            [dict(type='PILRescale', scale=s) for s in img_scales],
            [
                dict(type='RandomFlip', prob=0., direction='horizontal'),
                dict(type='RandomFlip', prob=1., direction='horizontal')
            ], [dict(type='LoadMask', optional=True)], [dict(type='PackWeakInputs')]
        ])
]
train_dataloader = dict(
    batch_size=16,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='ReproducibleInfiniteSampler', shuffle=True),
    dataset=dict(pipeline=train_pipeline))
# Seeds are scored on images of train, with their image labels.
val_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(with_masks=True, test_mode=True, pipeline=test_pipeline))
test_dataloader = val_dataloader
# Seeds are made for all images that the final model is trained on.
seed_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(test_mode=True, pipeline=tta_pipeline))
val_evaluator = dict(
    type='SeedMetric',
    protocol=dict(
        split='own photos',
        labels='own tags',
        scales='1',
        crf='no',
        weights='ImageNet',
        supervision='I'))
test_evaluator = val_evaluator
