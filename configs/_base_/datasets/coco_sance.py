# COCO 2014 with image labels and the labels of CAM seeds to train on; see
# voc_sance.py.
_base_ = './coco_weak.py'

crop_size = (512, 512)
train_pipeline = [
    dict(type='SeedAugmentation'),
    dict(type='LoadPhoto'),
    dict(type='LoadMask'),
    # Half to one and a half of COCO's 640 pixels.
    dict(type='RandomResizeLong', min_long=320, max_long=960),
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
        # Photos without tags have no seed, hence no label.
        ann_file='lists/train2014_labeled.txt',
        with_masks=True,
        pipeline=train_pipeline))
