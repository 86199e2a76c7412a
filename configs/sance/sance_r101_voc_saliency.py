# SANCE-sal: a saliency map of each image (<data_root>/Saliency/<id>.png, 8 bits)
# refines the online labels in place of the CRF. Supervision: I+S.
# python tools/train.py configs/sance/sance_r101_voc_saliency.py
_base_ = './sance_r101_voc.py'

model = dict(refine_by='saliency')
train_pipeline = [
    *_base_.train_pipeline[:3],
    dict(type='LoadSaliency'), *_base_.train_pipeline[3:]
]
train_dataloader = dict(
    dataset=dict(data_prefix=dict(saliency_path='Saliency'), pipeline=train_pipeline))
val_evaluator = dict(protocol=dict(supervision='I+S'))
test_evaluator = val_evaluator
