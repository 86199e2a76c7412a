# WeCLIP: a light decoder on a frozen CLIP. Training begins with the checkpoint that
# projects/clip_es/convert.py makes of the config (load_from).
_base_ = '../../../../configs/_base_/models/imagenet_rgb.py'

# ImageNet's mean and deviation, as published; CLIP itself has learnt with others.
model = dict(
    type='WeakSegmentor',
    data_preprocessor=dict(_base_.data_preprocessor, size_divisor=1),
    backbone=dict(type='CLIPBackbone', out_indices=tuple(range(11))),
    decode_head=dict(type='WeCLIPHead', num_classes=21),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
tta_model = dict(type='WeCLIPTTAModel')
# What convert.py asks CLIP for.
words = dict(names='voc', background='voc', templates=['a clean origami {}.'])
# Of seeds, which have a background of their own.
label_rule = dict(type='ThresholdLabel', refiner=dict(type='DenseCRF', preset='afa'))
# With and without CRF in one run.
crf_evaluator = [
    dict(type='IoUMetric', iou_metrics=['mIoU']),
    dict(
        type='RefinedIoUMetric',
        iou_metrics=['mIoU'],
        refiner=dict(type='DenseCRF', preset='afa'))
]
# The views of a data set, which gives the rest. What a crop lacks is black.
crop_pipeline = [
    dict(type='SetRandomState'),
    dict(type='LoadPILImage'),
    dict(type='PILRandomScale', min_scale=0.5, max_scale=2.0),
    dict(type='RandomFlip', prob=0.5),
    dict(type='RandomCropPad', crop_size=(320, 320), pad_val=(0, 0, 0)),
    dict(type='PackWeakInputs')
]
# WeCLIPTTAModel makes scales and flips itself.
whole_pipeline = [
    dict(type='LoadPILImage'),
    dict(
        type='TestTimeAug',
        transforms=[[dict(type='LoadMask', optional=True)],
                    [dict(type='PackWeakInputs')]])
]
