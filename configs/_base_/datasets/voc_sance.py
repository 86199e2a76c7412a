# PASCAL VOC 2012 with image labels and the labels of CAM seeds (IRNLabel, 255 is
# undecided) to train on. A relative folder of labels lies below data_root; an
# absolute one may lie anywhere.
_base_ = './voc_weak.py'

train_pipeline = [
    *_base_.train_pipeline[:2],
    dict(type='LoadMask'),
    # Half to one and a half of VOC's 500 pixels.
    dict(type='RandomResizeLong', min_long=250, max_long=750),
    *_base_.train_pipeline[3:]
]
train_dataloader = dict(
    batch_size=10,
    dataset=dict(
        data_prefix=dict(seg_map_path='seed_labels'),
        with_masks=True,
        pipeline=train_pipeline))
