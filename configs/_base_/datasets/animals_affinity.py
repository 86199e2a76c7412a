# Six animals of PASCAL VOC 2012 for an affinity network; see animals_weak.py.
_base_ = './affinity.py'

dataset_type = 'BaseSegDataset'
data_root = 'data/voc_animals'
classes = ('background', 'cat', 'cow', 'dog', 'horse', 'person', 'sheep')
metainfo = dict(
    classes=classes,
    palette=[[0, 0, 0], [64, 0, 0], [64, 128, 0], [64, 0, 128],
             [192, 0, 128], [192, 128, 128], [128, 64, 0]])
crop_size = (256, 256)
train_pipeline = [
    *_base_.train_pipeline[:4],
    dict(_base_.train_pipeline[4], crop_size=crop_size),
    *_base_.train_pipeline[5:]
]
train_dataloader = dict(
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
