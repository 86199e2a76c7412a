# Figure 6: accuracy and ratio of the online pseudo labels, FAE alone.
# Masks of the training images are read for these numbers only; no loss sees
# them.
_base_ = '../fsae_cam_r50_voc.py'

model = dict(loss_fsae=dict(kernel_size=1))
train_pipeline = [
    *_base_.train_pipeline[:2],
    dict(type='LoadMask'),
    *_base_.train_pipeline[2:],
]
train_dataloader = dict(
    dataset=dict(
        data_prefix=dict(seg_map_path='SegmentationClassAug'),
        with_masks=True,
        pipeline=train_pipeline))
