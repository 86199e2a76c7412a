# One's own images for a boundary network, in small views.
_base_ = './folder_boundary.py'

crop_size = (256, 256)
train_pipeline = [
    *_base_.train_pipeline[:3],
    dict(type='RandomRescale', min_scale=0.75, max_scale=1.5),
    dict(type='RandomFlip', prob=0.5),
    # pad_val is the mean of the data preprocessor.
    dict(type='RandomCropPad', crop_size=crop_size, pad_val=(127.5, 127.5, 127.5)),
    dict(type='PackSegInputs')
]
train_dataloader = dict(
    batch_size=8, num_workers=2, dataset=dict(pipeline=train_pipeline))
seed_dataloader = dict(num_workers=1)
mean_shift_dataloader = dict(num_workers=1, dataset=dict(indices=100))
