# FSAE on SIPE for your own images on a CPU. The paper's colour jitter is in the strong
# view alone, so that all but the loss is as in the base.
# PYTHONPATH=. python tools/train.py \
#     projects/sipe/configs/fsae_sipe_mobilenetv1_folder.py
_base_ = './sipe_mobilenetv1_folder.py'

model = dict(type='FSAE', loss_fsae=dict(type='FSAELoss'))
train_pipeline = [
    *_base_.train_pipeline[:-1],
    dict(
        type='StrongView',
        jitter=dict(brightness=0.3, contrast=0.3, saturation=0.3, hue=0.1)),
    _base_.train_pipeline[-1],
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
