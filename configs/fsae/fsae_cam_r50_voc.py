# FSAE on CAM with ResNet-50. The paper has no such row; its schedule for SIPE,
# which shares this network, is taken: half the rate, twice the epochs.
# python tools/train.py configs/fsae/fsae_cam_r50_voc.py
_base_ = '../cam/cam_r50_voc.py'

model = dict(type='FSAE', loss_fsae=dict(type='FSAELoss'))
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
train_cfg = dict(max_iters=6610, val_interval=6610)
optim_wrapper = dict(optimizer=dict(lr=0.05))
param_scheduler = dict(end=6611)
