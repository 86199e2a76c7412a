# Table 8: 5 operations of RandAugment.
_base_ = '../fsae_cam_r50_voc.py'

train_pipeline = [
    *_base_.train_pipeline[:-2],
    dict(type='StrongView', num_ops=5),
    _base_.train_pipeline[-1],
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
