# Six animals of PASCAL VOC 2012 for a boundary network; see animals_weak.py.
_base_ = './boundary.py'

dataset_type = 'BaseSegDataset'
data_root = 'data/voc_animals'
classes = ('background', 'cat', 'cow', 'dog', 'horse', 'person', 'sheep')
metainfo = dict(
    classes=classes,
    palette=[[0, 0, 0], [64, 0, 0], [64, 128, 0], [64, 0, 128],
             [192, 0, 128], [192, 128, 128], [128, 64, 0]])
crop_size = (256, 256)
train_pipeline = [
    *_base_.train_pipeline[:3],
    dict(type='RandomRescale', min_scale=0.75, max_scale=1.5),
    dict(type='RandomFlip', prob=0.5),
    # pad_val is the mean of the data preprocessor.
    dict(type='RandomCropPad', crop_size=crop_size, pad_val=(127.5, 127.5, 127.5)),
    dict(type='PackSegInputs')
]
train_dataloader = dict(
    batch_size=8,
    num_workers=2,
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        metainfo=metainfo,
        data_prefix=dict(img_path='JPEGImages', seg_map_path='affinity_labels'),
        img_suffix='.jpg',
        seg_map_suffix='.png',
        ann_file='ImageSets/Segmentation/train.txt',
        pipeline=train_pipeline))
seed_dataloader = dict(
    num_workers=1,
    dataset=dict(
        type='BaseWeakSegDataset',
        data_root=data_root,
        classes=classes,
        data_prefix=dict(img_path='JPEGImages'),
        ann_file='ImageSets/Segmentation/train.txt',
        label_file='image_labels.json'))
mean_shift_dataloader = dict(
    num_workers=1,
    dataset=dict(
        type='BaseWeakSegDataset',
        data_root=data_root,
        classes=classes,
        data_prefix=dict(img_path='JPEGImages'),
        ann_file='ImageSets/Segmentation/train.txt',
        indices=100))
