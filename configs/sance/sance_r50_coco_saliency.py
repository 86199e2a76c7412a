# SANCE-sal on COCO; see sance_r101_voc_saliency.py. Supervision: I+S.
# python tools/train.py configs/sance/sance_r50_coco_saliency.py
_base_ = './sance_r50_coco.py'

model = dict(refine_by='saliency')
train_pipeline = [
    dict(type='SeedAugmentation'),
    dict(type='LoadPhoto'),
    dict(type='LoadMask'),
    dict(type='LoadSaliency'),
    dict(type='RandomResizeLong', min_long=320, max_long=960),
    dict(type='RandomFlip', prob=0.5),
    dict(type='RandomCropPad', crop_size=(512, 512), pad_val=(103.53, 116.28, 123.675)),
    dict(type='PackWeakInputs')
]
train_dataloader = dict(
    dataset=dict(
        data_prefix=dict(saliency_path='saliency/train2014'),
        pipeline=train_pipeline))
val_evaluator = dict(protocol=dict(supervision='I+S'))
test_evaluator = val_evaluator
