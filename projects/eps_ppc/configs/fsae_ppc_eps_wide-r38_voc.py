# FSAE on PPC with EPS: 40,000 iterations of batch 8. Supervision: I+S.
# PYTHONPATH=. python tools/train.py \
#     projects/eps_ppc/configs/fsae_ppc_eps_wide-r38_voc.py
_base_ = './ppc_eps_wide-r38_voc.py'

model = dict(type='FSAE', loss_fsae=dict(type='FSAELoss'))
train_pipeline = [
    *_base_.train_pipeline[:-1],
    dict(type='StrongView'),
    _base_.train_pipeline[-1],
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
train_cfg = dict(max_iters=40000, val_interval=40000)
param_scheduler = dict(end=40001)
