# The skeleton of a data set with image labels, augmented as by 1-stage-wseg. Its
# scores are those of a segmentation model: images of val, without their labels. A
# data set, such as voc_single_stage.py, fills in what each loader reads.
_base_ = './weak.py'

crop_size = (321, 321)
train_pipeline = [
    dict(type='SetRandomState'),
    dict(type='LoadPILImage'),
    dict(
        type='mmpretrain.RandomResizedCrop',
        scale=crop_size,
        crop_ratio_range=(0.9, 1.0),
        interpolation='bicubic',
        backend='pillow'),
    dict(type='RandomFlip', prob=0.5),
    dict(
        type='mmpretrain.ColorJitter',
        brightness=0.3, contrast=0.3, saturation=0.3, hue=0.1),
    dict(type='PackWeakInputs')
]
# mmseg's inferencer looks for LoadImageFromFile.
test_pipeline = [
    dict(type='LoadImageFromFile', imdecode_backend='pillow'),
    dict(type='LoadMask', optional=True),
    dict(type='PackWeakInputs')
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(_delete_=True, type='IoUMetric', iou_metrics=['mIoU'])
test_evaluator = val_evaluator
