# EPS for COCO: 50 epochs of train2014 at batch 16 and 321 pixels. Supervision:
# I+S.
# PYTHONPATH=. python tools/train.py projects/eps_ppc/configs/eps_wide-r38_coco.py
_base_ = '../../../configs/psa/cam_wide-r38_coco.py'

custom_imports = dict(imports=['mmwsss', 'projects.eps_ppc'])
model = dict(
    data_preprocessor=dict(size=(321, 321)),
    decode_head=dict(
        type='EPSHead',
        dropout_ratio=0.,
        bg_thr=0.2,
        loss_saliency=dict(type='EPSLoss', threshold=0.4, mix=0.9)))
tta_model = dict(bg_thr=0.2)
train_pipeline = [
    *_base_.train_pipeline[:2],
    dict(type='LoadSaliency'),
    dict(type='RandomResizeLong', min_long=256, max_long=448),
    *_base_.train_pipeline[3:-2],
    dict(_base_.train_pipeline[-2], crop_size=(321, 321)),
    _base_.train_pipeline[-1],
]
train_dataloader = dict(
    dataset=dict(
        data_prefix=dict(saliency_path='Saliency'), pipeline=train_pipeline))
val_evaluator = dict(protocol=dict(supervision='I+S'))
test_evaluator = val_evaluator
train_cfg = dict(max_iters=256500, val_interval=256500)
optim_wrapper = dict(optimizer=dict(lr=0.01))
param_scheduler = dict(end=256501)
