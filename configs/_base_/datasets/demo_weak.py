# Generated scenes: tools/dataset_converters/make_demo_data.py makes them
# in data_root.
_base_ = './weak.py'

dataset_type = 'WeakDemoDataset'
data_root = 'data/demo'
crop_size = (96, 96)
train_pipeline = [
    dict(type='SetRandomState'),
    dict(type='LoadPILImage'),
    dict(type='RandomResizeLong', min_long=80, max_long=128),
    dict(type='RandomFlip', prob=0.5),
    dict(_base_.train_pipeline[4], crop_size=crop_size),
    dict(type='PackWeakInputs')
]
train_dataloader = dict(
    num_workers=1,
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(img_path='JPEGImages'),
        ann_file='ImageSets/Segmentation/train.txt',
        label_file='image_labels.json',
        pipeline=train_pipeline))
seed_dataloader = dict(
    num_workers=1,
    dataset=dict(train_dataloader['dataset'], pipeline=_base_.tta_pipeline))
val_dataloader = dict(
    num_workers=1,
    dataset=dict(
        train_dataloader['dataset'],
        data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClass'),
        pipeline=_base_.test_pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(
    protocol=dict(split='generated scenes, train', labels='generated', weights='none'))
test_evaluator = val_evaluator
