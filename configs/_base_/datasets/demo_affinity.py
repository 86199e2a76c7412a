# Generated scenes for an affinity network; see voc_affinity.py.
_base_ = './voc_affinity.py'

data_root = 'data/demo'
crop_size = (96, 96)
train_pipeline = [
    dict(type='SeedAugmentation'),
    dict(type='LoadPhoto'),
    dict(type='LoadMask'),
    dict(type='RandomCropPad', crop_size=crop_size, pad_val=(0., 0., 0.)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs')
]
train_dataloader = dict(
    num_workers=1,
    dataset=dict(
        type='DemoDataset',
        data_root=data_root,
        ann_file='ImageSets/Segmentation/train.txt',
        pipeline=train_pipeline))
seed_dataloader = dict(
    num_workers=1,
    dataset=dict(
        type='WeakDemoDataset',
        data_root=data_root,
        ann_file='ImageSets/Segmentation/train.txt'))
