# COCO 2014 with image labels and the labels of CAM seeds to train on; see
# voc_sance.py.
_base_ = './coco_weak.py'

train_pipeline = [
    *_base_.train_pipeline[:2],
    dict(type='LoadMask'),
    # Half to one and a half of COCO's 640 pixels.
    dict(type='RandomResizeLong', min_long=320, max_long=960),
    *_base_.train_pipeline[3:]
]
train_dataloader = dict(
    batch_size=10,
    dataset=dict(
        data_prefix=dict(seg_map_path='seed_labels'),
        # Images without tags have no seed, hence no label.
        ann_file='lists/train2014_labeled.txt',
        with_masks=True,
        pipeline=train_pipeline))
