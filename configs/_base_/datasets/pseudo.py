# The skeleton of a data set with pseudo labels to train on and masks to score on:
# the augmentation of protocol A (321-pixel crops) and loaders. A data set, such as
# voc_pseudo.py, fills in what each loader reads. A relative folder of pseudo labels
# lies below data_root; an absolute one may lie anywhere.
crop_size = (321, 321)
train_pipeline = [
    dict(type='SetRandomState'),
    dict(type='LoadPILImage'),
    dict(type='LoadMask'),
    dict(
        type='RandomChoice',
        transforms=[[dict(type='Resize', scale_factor=s, keep_ratio=True)]
                    for s in (0.5, 0.75, 1.0, 1.25, 1.5)]),
    # Right and bottom; img is the mean of the data preprocessor, in BGR.
    dict(
        type='Pad',
        size=crop_size,
        pad_val=dict(img=(104.008, 116.669, 122.675), seg=255)),
    dict(type='RandomCrop', crop_size=crop_size),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs')
]
test_pipeline = [
    dict(type='LoadPILImage'),
    dict(type='LoadMask', optional=True),
    dict(type='PackSegInputs')
]
train_dataloader = dict(
    batch_size=10,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='ReproducibleInfiniteSampler', shuffle=True),
    dataset=dict(pipeline=train_pipeline))
# round_up=False: no process sees an image twice.
val_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(test_mode=True, pipeline=test_pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(type='IoUMetric', iou_metrics=['mIoU'])
test_evaluator = val_evaluator
