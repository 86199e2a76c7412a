# Images and tags in shards, Parquet or tars, to train a localizer on; see
# docs/en/scale.md. Images: <data_root>/photos/*.parquet or *.tar, or a URL such as
# s3://bucket/photos. classes.txt lists the classes; None takes those that the shards
# name.
_base_ = './weak.py'

dataset_type = 'WeakShardDataset'
data_root = 'data/shards'
classes = 'classes.txt'
train_dataloader = dict(
    sampler=dict(_delete_=True, type='BlockShuffleSampler', buffer_size=2048),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(img_path='photos'),
        classes=classes))
# Some images with masks, in rows of their own, to score seeds on.
val_dataloader = dict(
    dataset=dict(
        train_dataloader['dataset'],
        data_prefix=dict(img_path='val'),
        with_masks='available'))
test_dataloader = val_dataloader
seed_dataloader = dict(dataset=train_dataloader['dataset'])
val_evaluator = dict(on_missing_mask='skip')
test_evaluator = val_evaluator
