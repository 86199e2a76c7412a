# Generated scenes with image labels for single-stage training.
_base_ = './single_stage.py'

dataset_type = 'WeakDemoDataset'
data_root = 'data/demo'
crop_size = (96, 96)
train_pipeline = [
    *_base_.train_pipeline[:2],
    dict(_base_.train_pipeline[2], scale=crop_size),
    *_base_.train_pipeline[3:]
]
seed_dataloader = dict(
    num_workers=1,
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(img_path='JPEGImages'),
        ann_file='ImageSets/Segmentation/train.txt',
        label_file='image_labels.json'))
train_dataloader = dict(
    num_workers=1,
    dataset=dict(seed_dataloader['dataset'], pipeline=train_pipeline))
val_dataloader = dict(
    num_workers=1,
    dataset=dict(
        seed_dataloader['dataset'],
        data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClass'),
        ann_file='ImageSets/Segmentation/val.txt',
        label_file=''))
test_dataloader = val_dataloader
