# FSAE on a small network from scratch, on generated scenes. Its class scores
# mean little at first.
# python tools/dataset_converters/make_demo_data.py --out data/demo
# python tools/train.py configs/fsae/fsae_cam_demo.py
_base_ = '../cam/cam_demo.py'

model = dict(type='FSAE', loss_fsae=dict(type='FSAELoss'), start_iter=100)
train_pipeline = [
    *_base_.train_pipeline[:-1],
    dict(
        type='StrongView',
        jitter=dict(brightness=0.3, contrast=0.3, saturation=0.3, hue=0.1)),
    _base_.train_pipeline[-1],
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
