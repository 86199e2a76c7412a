# FSAE in ESOL's first stage on frozen MobileNetV1 features, for a CPU.
# python tools/train.py configs/fsae/fsae_esol_mobilenetv1_animals.py
_base_ = '../esol/esol_mobilenetv1_animals.py'

model = dict(type='FSAE', loss_fsae=dict(type='FSAELoss'), stages=('classify', ))
train_pipeline = [
    *_base_.train_pipeline[:-1],
    dict(
        type='StrongView',
        jitter=dict(brightness=0.3, contrast=0.3, saturation=0.3, hue=0.1)),
    _base_.train_pipeline[-1],
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
