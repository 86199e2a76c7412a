# One's own images with tags for single-stage training, in small views.
_base_ = './folder_single_stage.py'

crop_size = (224, 224)
train_pipeline = [
    *_base_.train_pipeline[:2],
    dict(_base_.train_pipeline[2], scale=crop_size),
    *_base_.train_pipeline[3:]
]
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
