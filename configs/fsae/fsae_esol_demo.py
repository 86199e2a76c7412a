# FSAE in ESOL's first stage, on generated scenes.
# python tools/dataset_converters/make_demo_data.py --out data/demo
# python tools/train.py configs/fsae/fsae_esol_demo.py
_base_ = '../esol/esol_demo.py'

model = dict(
    type='FSAE',
    loss_fsae=dict(type='FSAELoss'),
    start_iter=100,
    stages=('classify', ))
train_pipeline = [
    *_base_.train_pipeline[:-1],
    dict(
        type='StrongView',
        jitter=dict(brightness=0.3, contrast=0.3, saturation=0.3, hue=0.1)),
    _base_.train_pipeline[-1],
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
