# FSAE on CAM for COCO, with the schedule of CAM. (The paper has a moving average
# label the weak view there for PPC with EPS only.)
# python tools/train.py configs/fsae/fsae_cam_r50_coco.py
_base_ = '../cam/cam_r50_coco.py'

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
