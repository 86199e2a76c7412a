# PASCAL VOC 2012 for a boundary network: labels with undecided pixels to train
# on (IRNLabel), and photos in two views whose seeds walk.
_base_ = './voc_weak.py'

dataset_type = 'PascalVOCDataset'
data_root = 'data/VOCdevkit/VOC2012'
crop_size = (512, 512)
train_pipeline = [
    dict(type='SeedAugmentation'),
    dict(type='LoadPhoto'),
    dict(type='LoadMask'),
    dict(type='RandomRescale', min_scale=0.5, max_scale=1.5),
    dict(type='RandomFlip', prob=0.5),
    # pad_val is the mean of the data preprocessor, in BGR.
    dict(
        type='RandomCropPad',
        crop_size=crop_size,
        pad_val=(103.53, 116.28, 123.675)),
    dict(type='PackSegInputs')
]
walk_pipeline = [
    dict(type='LoadPhoto'),
    dict(
        type='TestTimeAug',
        transforms=[[
            dict(type='RandomFlip', prob=0., direction='horizontal'),
            dict(type='RandomFlip', prob=1., direction='horizontal')
        ], [dict(type='PackWeakInputs')]])
]
train_dataloader = dict(
    batch_size=32,
    dataset=dict(
        _delete_=True,
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(img_path='JPEGImages', seg_map_path='affinity_labels'),
        ann_file='ImageSets/Segmentation/train_aug.txt',
        pipeline=train_pipeline))
# The photos over which displacements are averaged when training ends.
mean_shift_dataloader = dict(
    batch_size=1,
    num_workers=4,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='WeakVOCDataset',
        data_root=data_root,
        data_prefix=dict(img_path='JPEGImages'),
        ann_file='ImageSets/Segmentation/train.txt',
        test_mode=True,
        pipeline=[dict(type='LoadPhoto'),
                  dict(type='PackWeakInputs')]))
seed_dataloader = dict(dataset=dict(pipeline=walk_pipeline))
# What a boundary network learns shows in the labels after the walk.
val_dataloader = None
val_evaluator = None
test_dataloader = None
test_evaluator = None
