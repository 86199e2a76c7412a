# As for VOC, with EPS's weight of foreground for COCO; PPC published no schedule
# for COCO, this one is SEAM's eight epochs. Supervision: I+S.
# PYTHONPATH=. python tools/train.py projects/eps_ppc/configs/ppc_eps_wide-r38_coco.py
_base_ = './ppc_seam_wide-r38_coco.py'

model = dict(
    decode_head=dict(
        type='PPCEPSHead',
        dropout_ratio=0.,
        bg_thr=0.22,
        loss_saliency=dict(type='EPSLoss', threshold=0.4, mix=0.9)))
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
