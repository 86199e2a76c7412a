# FSAE on WeCLIP on generated scenes.
# PYTHONPATH=. python tools/train.py projects/weclip/configs/fsae_weclip_demo.py \
#     --cfg-options load_from=clip_demo.pth
_base_ = './weclip_demo.py'

model = dict(type='FSAE', loss_fsae=dict(type='FSAELoss'))
train_pipeline = [
    *_base_.train_pipeline[:-1],
    dict(type='StrongView'),
    _base_.train_pipeline[-1],
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
