# Six animals of PASCAL VOC 2012 with image labels and the labels of CAM seeds to
# train on; see animals_weak.py.
_base_ = './animals_weak.py'

crop_size = (256, 256)
train_pipeline = [
    dict(type='SeedAugmentation'),
    dict(type='LoadPhoto'),
    dict(type='LoadMask'),
    dict(type='RandomResizeLong', min_long=224, max_long=416),
    dict(type='RandomFlip', prob=0.5),
    # pad_val is the mean of the data preprocessor.
    dict(
        type='RandomCropPad',
        crop_size=crop_size,
        pad_val=(127.5, 127.5, 127.5)),
    dict(type='PackWeakInputs')
]
train_dataloader = dict(
    batch_size=8,
    dataset=dict(
        data_prefix=dict(seg_map_path='seed_labels'),
        with_masks=True,
        pipeline=train_pipeline))
