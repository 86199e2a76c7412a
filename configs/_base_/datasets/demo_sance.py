# Generated scenes with image labels and the labels of CAM seeds to train on.
_base_ = './demo_weak.py'

crop_size = (96, 96)
train_pipeline = [
    dict(type='SeedAugmentation'),
    dict(type='LoadPhoto'),
    dict(type='LoadMask'),
    dict(type='RandomResizeLong', min_long=80, max_long=128),
    dict(type='RandomFlip', prob=0.5),
    # pad_val is the mean of the data preprocessor, in BGR.
    dict(
        type='RandomCropPad',
        crop_size=crop_size,
        pad_val=(103.53, 116.28, 123.675)),
    dict(type='PackWeakInputs')
]
train_dataloader = dict(
    batch_size=8,
    dataset=dict(
        data_prefix=dict(seg_map_path='seed_labels'),
        with_masks=True,
        pipeline=train_pipeline))
