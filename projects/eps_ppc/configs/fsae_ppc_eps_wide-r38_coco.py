# FSAE on PPC with EPS for COCO: a moving average of the model labels the weak
# view. Supervision: I+S.
# PYTHONPATH=. python tools/train.py \
#     projects/eps_ppc/configs/fsae_ppc_eps_wide-r38_coco.py
_base_ = './ppc_eps_wide-r38_coco.py'

model = dict(type='FSAE', loss_fsae=dict(type='FSAELoss'))
train_pipeline = [
    *_base_.train_pipeline[:-1],
    dict(type='StrongView'),
    _base_.train_pipeline[-1],
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
custom_hooks = [dict(type='EMAPseudoLabelHook', momentum=0.001)]
