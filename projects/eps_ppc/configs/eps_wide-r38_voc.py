# EPS with WideResNet38: 20,000 iterations of batch 8. Saliency maps of any maker
# lie in <data_root>/Saliency/<id>.png, 8 bits. Supervision: I+S.
# PYTHONPATH=. python tools/train.py projects/eps_ppc/configs/eps_wide-r38_voc.py
_base_ = '../../../configs/psa/cam_wide-r38_voc.py'

custom_imports = dict(imports=['mmwsss', 'projects.eps_ppc'])
model = dict(
    decode_head=dict(
        type='EPSHead',
        dropout_ratio=0.,
        bg_thr=0.2,
        loss_saliency=dict(type='EPSLoss', threshold=0.4, mix=0.5)))
tta_model = dict(bg_thr=0.2)
train_pipeline = [
    *_base_.train_pipeline[:2],
    dict(type='LoadSaliency'),
    *_base_.train_pipeline[2:],
]
train_dataloader = dict(
    batch_size=8,
    dataset=dict(
        data_prefix=dict(saliency_path='Saliency'), pipeline=train_pipeline))
val_evaluator = dict(protocol=dict(supervision='I+S'))
test_evaluator = val_evaluator
train_cfg = dict(max_iters=20000, val_interval=20000)
optim_wrapper = dict(optimizer=dict(lr=0.01))
param_scheduler = dict(end=20001)
