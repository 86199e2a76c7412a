# SANCE-sal on COCO; see sance_r101_voc_saliency.py. Supervision: I+S.
# python tools/train.py configs/sance/sance_r50_coco_saliency.py
_base_ = './sance_r50_coco.py'

model = dict(refine_by='saliency')
train_pipeline = [
    *_base_.train_pipeline[:3],
    dict(type='LoadSaliency'), *_base_.train_pipeline[3:]
]
train_dataloader = dict(
    dataset=dict(
        data_prefix=dict(saliency_path='saliency/train2014'),
        pipeline=train_pipeline))
val_evaluator = dict(protocol=dict(supervision='I+S'))
test_evaluator = val_evaluator
