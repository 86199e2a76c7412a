# FSAE in ESOL's first stage for COCO.
# python tools/train.py configs/fsae/fsae_esol_r50_coco.py
_base_ = '../esol/esol_r50_coco.py'

model = dict(type='FSAE', loss_fsae=dict(type='FSAELoss'), stages=('classify', ))
# The weak view of the paper has a colour jitter; its strengths are those of
# EPS and PPC.
train_pipeline = [
    *_base_.train_pipeline[:-2],
    dict(
        type='mmpretrain.ColorJitter',
        brightness=0.3, contrast=0.3, saturation=0.3, hue=0.1),
    _base_.train_pipeline[-2],
    dict(type='StrongView'),
    _base_.train_pipeline[-1],
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
