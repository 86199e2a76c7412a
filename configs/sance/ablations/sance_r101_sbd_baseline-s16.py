# Table 2: contours of the trained baseline, stride 16, on SBD val.
# python tools/test.py configs/sance/ablations/sance_r101_sbd_baseline-s16.py \
#     CHECKPOINT
_base_ = './sance_r101_voc_baseline-s16.py'

# As in sance_r101_sbd.py.
test_dataloader = dict(
    _delete_=True,
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='WeakVOCDataset',
        data_root='data/sbd',
        data_prefix=dict(img_path='dataset/img', seg_map_path='boundaries'),
        ann_file='ImageSets/Segmentation/val.txt',
        label_file='',
        with_masks=True,
        test_mode=True,
        pipeline=_base_.test_pipeline))
test_evaluator = dict(_delete_=True, type='BoundaryMetric')
test_cfg = dict(_delete_=True, type='TestLoop')
