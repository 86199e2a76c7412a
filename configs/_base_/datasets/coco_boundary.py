# COCO 2014 for a boundary network.
_base_ = './boundary.py'

dataset_type = 'COCOSegDataset'
data_root = 'data/coco'
# Images without tags have no seed, hence no label.
train_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(img_path='train2014', seg_map_path='affinity_labels'),
        ann_file='lists/train2014_labeled.txt'))
seed_dataloader = dict(
    dataset=dict(
        type='WeakCOCODataset',
        data_root=data_root,
        data_prefix=dict(img_path='train2014'),
        ann_file='lists/train2014_labeled.txt',
        label_file='labels_train2014.json'))
mean_shift_dataloader = dict(
    dataset=dict(
        type='WeakCOCODataset',
        data_root=data_root,
        data_prefix=dict(img_path='train2014'),
        ann_file='lists/train2014_labeled.txt',
        # A mean over 5,000 images is as good.
        indices=5000))
