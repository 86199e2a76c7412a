# Six animals of PASCAL VOC 2012 with pseudo labels to train on and masks to
# score on.
_base_ = './pseudo.py'

dataset_type = 'BaseSegDataset'
data_root = 'data/voc_animals'
metainfo = dict(
    classes=('background', 'cat', 'cow', 'dog', 'horse', 'person', 'sheep'),
    palette=[[0, 0, 0], [64, 0, 0], [64, 128, 0], [64, 0, 128],
             [192, 0, 128], [192, 128, 128], [128, 64, 0]])
crop_size = (256, 256)
train_pipeline = [
    *_base_.train_pipeline[:3],
    dict(
        type='RandomChoice',
        transforms=[[dict(type='Resize', scale_factor=s, keep_ratio=True)]
                    for s in (0.75, 1.0, 1.25)]),
    dict(type='RandomCropPad', crop_size=crop_size, pad_val=(127.5, 127.5, 127.5)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs')
]
train_dataloader = dict(
    batch_size=8,
    num_workers=2,
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        metainfo=metainfo,
        data_prefix=dict(img_path='JPEGImages', seg_map_path='pseudo_labels'),
        img_suffix='.jpg',
        seg_map_suffix='.png',
        ann_file='ImageSets/Segmentation/train.txt',
        pipeline=train_pipeline))
val_dataloader = dict(
    num_workers=1,
    dataset=dict(
        train_dataloader['dataset'],
        data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClass'),
        ann_file='ImageSets/Segmentation/val.txt',
        pipeline=_base_.test_pipeline))
test_dataloader = val_dataloader
