# Six animals of PASCAL VOC 2012 for an affinity network; see animals_weak.py.
_base_ = './voc_affinity.py'

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
    dict(
        type='mmpretrain.ColorJitter',
        brightness=0.3,
        contrast=0.3,
        saturation=0.3,
        hue=0.1),
    dict(type='RandomCropPad', crop_size=crop_size, pad_val=(0., 0., 0.)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs')
]
train_dataloader = dict(
    num_workers=2,
    dataset=dict(
        type='BaseSegDataset',
        data_root=data_root,
        metainfo=metainfo,
        img_suffix='.jpg',
        seg_map_suffix='.png',
        ann_file='ImageSets/Segmentation/train.txt',
        pipeline=train_pipeline))
seed_dataloader = dict(
    num_workers=1,
    dataset=dict(
        type='BaseWeakSegDataset',
        data_root=data_root,
        classes=classes,
        ann_file='ImageSets/Segmentation/train.txt'))
