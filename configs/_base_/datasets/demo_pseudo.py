# Generated scenes with pseudo labels to train on and masks to score on.
_base_ = './pseudo.py'

dataset_type = 'DemoDataset'
data_root = 'data/demo'
crop_size = (96, 96)
train_pipeline = [
    *_base_.train_pipeline[:3],
    dict(
        type='RandomChoice',
        transforms=[[dict(type='Resize', scale_factor=s, keep_ratio=True)]
                    for s in (0.75, 1.0, 1.25)]),
    # pad_val is the mean of the data preprocessor, in BGR.
    dict(type='RandomCropPad', crop_size=crop_size, pad_val=(103.53, 116.28, 123.675)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs')
]
train_dataloader = dict(
    batch_size=16,
    num_workers=1,
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(img_path='JPEGImages', seg_map_path='pseudo_labels'),
        ann_file='ImageSets/Segmentation/train.txt',
        pipeline=train_pipeline))
val_dataloader = dict(
    num_workers=1,
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClass'),
        ann_file='ImageSets/Segmentation/val.txt'))
test_dataloader = val_dataloader
