# FSAE on WeCLIP: sure pixels of the image teach its strong view. Not published.
# PYTHONPATH=. python tools/train.py \
#     projects/weclip/configs/fsae_weclip_vit-b16_voc.py \
#     --cfg-options load_from=clip_voc.pth
_base_ = './weclip_vit-b16_voc.py'

model = dict(type='FSAE', loss_fsae=dict(type='FSAELoss'))
train_pipeline = [
    *_base_.train_pipeline[:-1],
    dict(type='StrongView'),
    _base_.train_pipeline[-1],
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
