# PPC on EPS with WideResNet38: 20,000 iterations of batch 8. Saliency maps of any
# maker lie in <data_root>/Saliency/<id>.png, 8 bits. Supervision: I+S.
# PYTHONPATH=. python tools/train.py projects/eps_ppc/configs/ppc_eps_wide-r38_voc.py
_base_ = './ppc_seam_wide-r38_voc.py'

model = dict(
    decode_head=dict(
        type='PPCEPSHead',
        dropout_ratio=0.,
        bg_thr=0.22,
        loss_saliency=dict(type='EPSLoss', threshold=0.4, mix=0.5)))
tta_model = dict(min_max=False, bg_thr=0.22)
train_pipeline = [
    *_base_.train_pipeline[:2],
    dict(type='LoadSaliency'),
    *_base_.train_pipeline[2:],
]
train_dataloader = dict(
    dataset=dict(
        data_prefix=dict(saliency_path='Saliency'), pipeline=train_pipeline))
val_evaluator = dict(protocol=dict(supervision='I+S'))
test_evaluator = val_evaluator
train_cfg = dict(max_iters=20000, val_interval=20000)
param_scheduler = dict(end=20001)
