# FSAE on MCTformer-V2 with MobileNetV1's features, after a sixth of the training.
# PYTHONPATH=. python tools/train.py \
#     projects/mctformer/configs/fsae_mctformer_v2_mobilenetv1_animals.py
_base_ = './mctformer_v2_mobilenetv1_animals.py'

model = dict(type='FSAE', loss_fsae=dict(type='FSAELoss'), start_iter=50)
train_pipeline = [
    *_base_.train_pipeline[:-1],
    dict(
        type='StrongView',
        jitter=dict(brightness=0.3, contrast=0.3, saturation=0.3, hue=0.1)),
    _base_.train_pipeline[-1],
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
