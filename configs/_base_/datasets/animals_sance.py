# Six animals of PASCAL VOC 2012 with image labels and the labels of CAM seeds to
# train on; see animals_weak.py.
_base_ = './animals_weak.py'

train_pipeline = [
    *_base_.train_pipeline[:2],
    dict(type='LoadMask'),
    *_base_.train_pipeline[2:]
]
train_dataloader = dict(
    batch_size=8,
    dataset=dict(
        data_prefix=dict(seg_map_path='seed_labels'),
        with_masks=True,
        pipeline=train_pipeline))
