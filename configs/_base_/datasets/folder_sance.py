# One's own images with tags and the labels of CAM seeds to train on.
_base_ = './folder_weak.py'

train_pipeline = [
    *_base_.train_pipeline[:2],
    dict(type='LoadMask'),
    dict(type='RandomResizeLong', min_long=250, max_long=750),
    *_base_.train_pipeline[3:]
]
train_dataloader = dict(
    batch_size=10,
    dataset=dict(
        data_prefix=dict(seg_map_path='seed_labels'),
        with_masks=True,
        pipeline=train_pipeline))
