# PASCAL VOC 2012 with image labels and the labels of CAM seeds (IRNLabel, 255 is
# undecided) to train on. A relative folder of labels lies below data_root; an
# absolute one may lie anywhere.
_base_ = './voc_weak.py'

crop_size = (512, 512)
train_pipeline = [
    dict(type='SeedAugmentation'),
    dict(type='LoadPhoto'),
    dict(type='LoadMask'),
    # Half to one and a half of VOC's 500 pixels.
    dict(type='RandomResizeLong', min_long=250, max_long=750),
    dict(type='RandomFlip', prob=0.5),
    # pad_val is the mean of the data preprocessor, in BGR.
    dict(
        type='RandomCropPad',
        crop_size=crop_size,
        pad_val=(103.53, 116.28, 123.675)),
    dict(type='PackWeakInputs')
]
train_dataloader = dict(
    batch_size=10,
    dataset=dict(
        data_prefix=dict(seg_map_path='seed_labels'),
        with_masks=True,
        pipeline=train_pipeline))
