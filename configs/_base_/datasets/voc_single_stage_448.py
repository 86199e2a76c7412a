# As voc_single_stage.py with crops of 448 pixels, and scales for backbones other
# than WideResNet-38.
_base_ = './voc_single_stage.py'

crop_size = (448, 448)
train_pipeline = [
    *_base_.train_pipeline[:2],
    dict(_base_.train_pipeline[2], scale=crop_size),
    *_base_.train_pipeline[3:]
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
img_scales = [1.0, 0.75, 1.25, 1.5]
tta_pipeline = [
    _base_.tta_pipeline[0],
    dict(
        type='TestTimeAug',
        transforms=[[dict(type='PILRescale', scale=s) for s in img_scales],
                    *_base_.tta_pipeline[1]['transforms'][1:]])
]
seed_dataloader = dict(dataset=dict(pipeline=tta_pipeline))
