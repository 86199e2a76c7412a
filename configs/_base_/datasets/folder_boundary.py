# One's own images for a boundary network; see docs/en/own_photos.md.
_base_ = './boundary.py'

dataset_type = 'WeakFolderDataset'
data_root = 'data/own'
classes = 'classes.txt'
mean_shift_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(img_path='photos'),
        ann_file='',
        classes=classes))
train_dataloader = dict(
    dataset=dict(
        mean_shift_dataloader['dataset'],
        data_prefix=dict(img_path='photos', seg_map_path='affinity_labels'),
        with_masks=True))
seed_dataloader = dict(
    dataset=dict(mean_shift_dataloader['dataset'], label_file='tags.csv'))
