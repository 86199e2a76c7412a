# Six animals of PASCAL VOC 2012 for a boundary network; see animals_weak.py.
_base_ = './voc_boundary.py'

data_root = 'data/voc_animals'
classes = ('background', 'cat', 'cow', 'dog', 'horse', 'person', 'sheep')
metainfo = dict(
    classes=classes,
    palette=[[0, 0, 0], [64, 0, 0], [64, 128, 0], [64, 0, 128],
             [192, 0, 128], [192, 128, 128], [128, 64, 0]])
crop_size = (256, 256)
train_pipeline = [
    dict(type='SeedAugmentation'),
    dict(type='LoadPhoto'),
    dict(type='LoadMask'),
    dict(type='RandomRescale', min_scale=0.75, max_scale=1.5),
    dict(type='RandomFlip', prob=0.5),
    # pad_val is the mean of the data preprocessor.
    dict(
        type='RandomCropPad',
        crop_size=crop_size,
        pad_val=(127.5, 127.5, 127.5)),
    dict(type='PackSegInputs')
]
train_dataloader = dict(
    batch_size=8,
    num_workers=2,
    dataset=dict(
        type='BaseSegDataset',
        data_root=data_root,
        metainfo=metainfo,
        img_suffix='.jpg',
        seg_map_suffix='.png',
        ann_file='ImageSets/Segmentation/train.txt',
        pipeline=train_pipeline))
mean_shift_dataloader = dict(
    num_workers=1,
    dataset=dict(
        type='BaseWeakSegDataset',
        data_root=data_root,
        classes=classes,
        indices=100))
seed_dataloader = dict(
    num_workers=1,
    dataset=dict(
        type='BaseWeakSegDataset',
        data_root=data_root,
        classes=classes,
        ann_file='ImageSets/Segmentation/train.txt'))
