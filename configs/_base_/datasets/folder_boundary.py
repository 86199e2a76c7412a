# One's own photos for a boundary network; see voc_boundary.py and
# docs/en/own_photos.md.
_base_ = './voc_boundary.py'

data_root = 'data/own'
classes = 'classes.txt'
train_dataloader = dict(
    dataset=dict(
        type='WeakFolderDataset',
        data_root=data_root,
        data_prefix=dict(img_path='photos', seg_map_path='affinity_labels'),
        ann_file='',
        classes=classes,
        with_masks=True))
mean_shift_dataloader = dict(
    dataset=dict(
        type='WeakFolderDataset',
        data_root=data_root,
        data_prefix=dict(img_path='photos'),
        ann_file='',
        classes=classes))
seed_dataloader = dict(
    dataset=dict(
        type='WeakFolderDataset',
        data_root=data_root,
        data_prefix=dict(img_path='photos'),
        ann_file='',
        label_file='tags.csv',
        classes=classes))
