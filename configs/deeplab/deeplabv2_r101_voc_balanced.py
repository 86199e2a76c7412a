# Balanced cross entropy, longer, and larger scales, as AdvCAM and RIB train from
# ImageNet weights.
_base_ = './deeplabv2_r101_voc.py'

model = dict(decode_head=dict(loss_decode=dict(type='BalancedCrossEntropyLoss')))
train_pipeline = [
    *_base_.train_pipeline[:3],
    dict(
        type='RandomChoice',
        transforms=[[dict(type='Resize', scale_factor=s, keep_ratio=True)]
                    for s in (0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0)]),
    *_base_.train_pipeline[4:]
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
train_cfg = dict(max_iters=30000, val_interval=30000)
param_scheduler = dict(end=30001)
