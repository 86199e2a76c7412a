# COCO 2014 with image labels. tools/dataset_converters/coco.py writes masks,
# labels and lists into data_root; see docs/en/coco.md.
dataset_type = 'WeakCOCODataset'
data_root = 'data/coco'
crop_size = (512, 512)
train_pipeline = [
    dict(type='SeedAugmentation'),
    dict(type='LoadPhoto'),
    dict(type='RandomResizeLong', min_long=320, max_long=640),
    dict(type='RandomFlip', prob=0.5),
    # pad_val is the mean of the data preprocessor, in BGR.
    dict(
        type='RandomCropPad',
        crop_size=crop_size,
        pad_val=(103.53, 116.28, 123.675)),
    dict(type='PackWeakInputs')
]
test_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='LoadMask', optional=True),
    dict(type='PackWeakInputs')
]
img_scales = [1.0, 0.5, 1.5, 2.0]
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
train_dataloader = dict(
    batch_size=16,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='ReproducibleInfiniteSampler', shuffle=True),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(img_path='train2014'),
        ann_file='lists/train2014.txt',
        label_file='labels_train2014.json',
        pipeline=train_pipeline))
# Seeds are scored on photos of train, with their image labels.
val_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(
            img_path='train2014', seg_map_path='masks/train2014'),
        ann_file='lists/train2014_labeled.txt',
        # At the stage borders 2,000 photos are enough.
        indices=2000,
        label_file='labels_train2014.json',
        with_masks=True,
        test_mode=True,
        pipeline=test_pipeline))
test_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(
            img_path='train2014', seg_map_path='masks/train2014'),
        ann_file='lists/train2014_labeled.txt',
        label_file='labels_train2014.json',
        with_masks=True,
        test_mode=True,
        pipeline=test_pipeline))
# Photos without tags train as all-negative but get no seeds.
seed_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(img_path='train2014'),
        ann_file='lists/train2014_labeled.txt',
        label_file='labels_train2014.json',
        test_mode=True,
        pipeline=tta_pipeline))
val_evaluator = dict(
    type='SeedMetric',
    protocol=dict(
        split='COCO 2014 train',
        labels='instances (docs/en/coco.md)',
        scales='1',
        crf='no',
        weights='ImageNet',
        supervision='I'))
test_evaluator = val_evaluator
