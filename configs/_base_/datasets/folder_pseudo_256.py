# One's own images with pseudo labels to train on, in small views.
_base_ = './folder_pseudo.py'

crop_size = (256, 256)
train_pipeline = [
    *_base_.train_pipeline[:3],
    dict(
        type='RandomChoice',
        transforms=[[dict(type='Resize', scale_factor=s, keep_ratio=True)]
                    for s in (0.75, 1.0, 1.25)]),
    dict(type='RandomCropPad', crop_size=crop_size, pad_val=(127.5, 127.5, 127.5)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs')
]
train_dataloader = dict(
    batch_size=8, num_workers=2, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(num_workers=1)
test_dataloader = dict(num_workers=1)
