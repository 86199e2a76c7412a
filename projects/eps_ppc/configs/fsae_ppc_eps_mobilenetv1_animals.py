# FSAE on PPC with EPS, MobileNetV1, small enough for a CPU. Supervision: I+S.
# PYTHONPATH=. python tools/train.py \
#     projects/eps_ppc/configs/fsae_ppc_eps_mobilenetv1_animals.py
_base_ = './ppc_eps_mobilenetv1_animals.py'

model = dict(type='FSAE', loss_fsae=dict(type='FSAELoss'))
train_pipeline = [
    *_base_.train_pipeline[:-1],
    dict(
        type='StrongView',
        jitter=dict(brightness=0.3, contrast=0.3, saturation=0.3, hue=0.1)),
    _base_.train_pipeline[-1],
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
