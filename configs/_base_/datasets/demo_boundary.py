# Generated scenes for a boundary network; see voc_boundary.py.
_base_ = './voc_boundary.py'

data_root = 'data/demo'
crop_size = (96, 96)
train_pipeline = [
    dict(type='SeedAugmentation'),
    dict(type='LoadPhoto'),
    dict(type='LoadMask'),
    dict(type='RandomRescale', min_scale=0.75, max_scale=1.25),
    dict(type='RandomFlip', prob=0.5),
    # pad_val is the mean of the data preprocessor, in BGR.
    dict(
        type='RandomCropPad',
        crop_size=crop_size,
        pad_val=(103.53, 116.28, 123.675)),
    dict(type='PackSegInputs')
]
train_dataloader = dict(
    batch_size=16,
    num_workers=1,
    dataset=dict(
        type='DemoDataset',
        data_root=data_root,
        ann_file='ImageSets/Segmentation/train.txt',
        pipeline=train_pipeline))
mean_shift_dataloader = dict(
    num_workers=1, dataset=dict(type='WeakDemoDataset', data_root=data_root))
seed_dataloader = dict(
    num_workers=1,
    dataset=dict(
        type='WeakDemoDataset',
        data_root=data_root,
        ann_file='ImageSets/Segmentation/train.txt'))
