# Images in shards with masks in shards, such as tools/label_photos.py writes them, to
# train a segmentation model on; see docs/en/scale.md. A mask belongs to the image of
# the same id. Images that were not labelled are left out, and counted.
_base_ = './pseudo.py'

dataset_type = 'WeakShardDataset'
data_root = 'data/shards'
classes = 'classes.txt'
train_dataloader = dict(
    sampler=dict(_delete_=True, type='BlockShuffleSampler', buffer_size=2048),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(img_path='photos', seg_map_path='pseudo_labels'),
        classes=classes,
        with_tags=False,
        with_masks=True,
        on_missing_masks='skip'))
# Some images with masks in the same rows, to score on.
val_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(img_path='val'),
        classes=classes,
        with_tags=False,
        with_masks='available'))
test_dataloader = val_dataloader
val_evaluator = dict(_delete_=True, type='MaskMetric', on_missing_mask='skip')
test_evaluator = val_evaluator
