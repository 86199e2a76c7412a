# FSAE on MCTformer-V2, a small network from scratch on generated scenes. Its class
# scores mean little at first.
# PYTHONPATH=. python tools/train.py \
#     projects/mctformer/configs/fsae_mctformer_v2_demo.py
_base_ = './mctformer_v2_demo.py'

model = dict(type='FSAE', loss_fsae=dict(type='FSAELoss'), start_iter=100)
train_pipeline = [
    *_base_.train_pipeline[:-1],
    dict(
        type='StrongView',
        jitter=dict(brightness=0.3, contrast=0.3, saturation=0.3, hue=0.1)),
    _base_.train_pipeline[-1],
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
