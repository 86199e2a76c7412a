# PASCAL VOC 2012 for an affinity network.
_base_ = './affinity.py'

dataset_type = 'PascalVOCDataset'
data_root = 'data/VOCdevkit/VOC2012'
train_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(img_path='JPEGImages', seg_map_path='affinity_labels'),
        ann_file='ImageSets/Segmentation/train_aug.txt'))
seed_dataloader = dict(
    dataset=dict(
        type='WeakVOCDataset',
        data_root=data_root,
        data_prefix=dict(img_path='JPEGImages'),
        ann_file='ImageSets/Segmentation/train_aug.txt',
        label_file='image_labels.json'))
