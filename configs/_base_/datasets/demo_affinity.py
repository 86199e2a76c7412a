# Generated scenes for an affinity network.
_base_ = './affinity.py'

dataset_type = 'DemoDataset'
data_root = 'data/demo'
crop_size = (96, 96)
train_pipeline = [
    *_base_.train_pipeline[:3],
    dict(_base_.train_pipeline[4], crop_size=crop_size),
    *_base_.train_pipeline[5:]
]
train_dataloader = dict(
    num_workers=1,
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(img_path='JPEGImages', seg_map_path='affinity_labels'),
        ann_file='ImageSets/Segmentation/train.txt',
        pipeline=train_pipeline))
seed_dataloader = dict(
    num_workers=1,
    dataset=dict(
        type='WeakDemoDataset',
        data_root=data_root,
        data_prefix=dict(img_path='JPEGImages'),
        ann_file='ImageSets/Segmentation/train.txt',
        label_file='image_labels.json'))
