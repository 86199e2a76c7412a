# One's own images with tags and the labels of CAM seeds to train on, in small views.
_base_ = './folder_weak_256.py'

train_pipeline = [
    *_base_.train_pipeline[:2],
    dict(type='LoadMask'),
    *_base_.train_pipeline[2:]
]
train_dataloader = dict(
    batch_size=4,
    dataset=dict(
        data_prefix=dict(seg_map_path='seed_labels'),
        with_masks=True,
        pipeline=train_pipeline))
