# Generated scenes for a boundary network.
_base_ = './boundary.py'

dataset_type = 'DemoDataset'
data_root = 'data/demo'
crop_size = (96, 96)
train_pipeline = [
    *_base_.train_pipeline[:3],
    dict(type='RandomRescale', min_scale=0.75, max_scale=1.25),
    dict(type='RandomFlip', prob=0.5),
    dict(_base_.train_pipeline[5], crop_size=crop_size),
    dict(type='PackSegInputs')
]
train_dataloader = dict(
    batch_size=16,
    num_workers=1,
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(img_path='JPEGImages', seg_map_path='affinity_labels'),
        ann_file='ImageSets/Segmentation/train.txt',
        pipeline=train_pipeline))
mean_shift_dataloader = dict(
    num_workers=1,
    dataset=dict(
        type='WeakDemoDataset',
        data_root=data_root,
        data_prefix=dict(img_path='JPEGImages'),
        ann_file='ImageSets/Segmentation/train.txt'))
seed_dataloader = dict(
    num_workers=1,
    dataset=dict(mean_shift_dataloader['dataset'], label_file='image_labels.json'))
