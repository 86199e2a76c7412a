# PASCAL VOC 2012 for a boundary network.
_base_ = './boundary.py'

dataset_type = 'PascalVOCDataset'
data_root = 'data/VOCdevkit/VOC2012'
train_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(img_path='JPEGImages', seg_map_path='affinity_labels'),
        ann_file='ImageSets/Segmentation/train_aug.txt'))
mean_shift_dataloader = dict(
    dataset=dict(
        type='WeakVOCDataset',
        data_root=data_root,
        data_prefix=dict(img_path='JPEGImages'),
        ann_file='ImageSets/Segmentation/train.txt'))
seed_dataloader = dict(
    dataset=dict(
        mean_shift_dataloader['dataset'],
        ann_file='ImageSets/Segmentation/train_aug.txt',
        label_file='image_labels.json'))
