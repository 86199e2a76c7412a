# PPC on EPS with MobileNetV1 at stride 16, small enough for a CPU.
# make_saliency.py writes a stand-in for saliency into data/voc_animals/Saliency.
# Supervision: I+S.
# PYTHONPATH=. python tools/train.py \
#     projects/eps_ppc/configs/ppc_eps_mobilenetv1_animals.py
_base_ = './ppc_seam_mobilenetv1_animals.py'

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
