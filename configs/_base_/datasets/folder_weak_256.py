# One's own images with tags in small views, for a network that trains on a CPU.
_base_ = './folder_weak.py'

crop_size = (256, 256)
train_pipeline = [
    *_base_.train_pipeline[:2],
    dict(type='RandomResizeLong', min_long=224, max_long=416),
    _base_.train_pipeline[3],
    # pad_val is the mean of the data preprocessor.
    dict(type='RandomCropPad', crop_size=crop_size, pad_val=(127.5, 127.5, 127.5)),
    _base_.train_pipeline[5]
]
# Without scale 2, which takes more than half of the time.
img_scales = [1.0, 0.5, 1.5]
tta_pipeline = [
    _base_.tta_pipeline[0],
    dict(
        type='TestTimeAug',
        transforms=[[dict(type='PILRescale', scale=s) for s in img_scales],
                    *_base_.tta_pipeline[1]['transforms'][1:]])
]
train_dataloader = dict(
    batch_size=8, num_workers=2, dataset=dict(pipeline=train_pipeline))
seed_dataloader = dict(num_workers=1, dataset=dict(pipeline=tta_pipeline))
val_dataloader = dict(num_workers=1)
test_dataloader = dict(num_workers=1)
