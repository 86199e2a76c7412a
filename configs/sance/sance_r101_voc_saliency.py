# SANCE-sal: a saliency map of each photo (<data_root>/Saliency/<id>.png, 8 bits)
# refines the online labels in place of the CRF. Supervision: I+S.
# python tools/train.py configs/sance/sance_r101_voc_saliency.py
_base_ = './sance_r101_voc.py'

model = dict(refine_by='saliency')
# As in voc_sance.py, with the saliency map.
train_pipeline = [
    dict(type='SeedAugmentation'),
    dict(type='LoadPhoto'),
    dict(type='LoadMask'),
    dict(type='LoadSaliency'),
    dict(type='RandomResizeLong', min_long=250, max_long=750),
    dict(type='RandomFlip', prob=0.5),
    dict(type='RandomCropPad', crop_size=(512, 512), pad_val=(103.53, 116.28, 123.675)),
    dict(type='PackWeakInputs')
]
train_dataloader = dict(
    dataset=dict(data_prefix=dict(saliency_path='Saliency'), pipeline=train_pipeline))
val_evaluator = dict(protocol=dict(supervision='I+S'))
test_evaluator = val_evaluator
