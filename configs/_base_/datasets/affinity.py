# The skeleton of a data set for an affinity network: labels with undecided pixels
# to train on (PSALabel), and images in one view whose scores walk. A data set, such
# as voc_affinity.py, fills in what both loaders read.
_base_ = './weak.py'

crop_size = (448, 448)
# PSA pads images with black, before it normalises.
train_pipeline = [
    dict(type='SetRandomState'),
    dict(type='LoadPILImage'),
    dict(type='LoadMask'),
    dict(
        type='mmpretrain.ColorJitter',
        brightness=0.3, contrast=0.3, saturation=0.3, hue=0.1),
    dict(type='RandomCropPad', crop_size=crop_size, pad_val=(0., 0., 0.)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs')
]
walk_pipeline = [
    dict(type='LoadPILImage'),
    dict(
        type='TestTimeAug',
        transforms=[[dict(type='PILRescale', scale=1.0)],
                    [dict(type='LoadMask', optional=True)],
                    [dict(type='PackWeakInputs')]])
]
train_dataloader = dict(batch_size=8, dataset=dict(pipeline=train_pipeline))
seed_dataloader = dict(dataset=dict(pipeline=walk_pipeline))
# What an affinity network learns shows in the labels after the walk.
val_dataloader = None
val_evaluator = None
test_dataloader = None
test_evaluator = None
