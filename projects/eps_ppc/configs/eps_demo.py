# EPS with a small network from scratch on generated scenes. make_saliency.py
# writes a stand-in for saliency into data/demo/Saliency. Supervision: I+S.
# PYTHONPATH=. python tools/train.py projects/eps_ppc/configs/eps_demo.py
_base_ = '../../../configs/cam/cam_demo.py'

custom_imports = dict(imports=['mmwsss', 'projects.eps_ppc'])
model = dict(decode_head=dict(type='EPSHead', bg_thr=0.2))
tta_model = dict(bg_thr=0.2, size_divisor=1)
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
