# Test only: scores with and without dense CRF in one run.
# python tools/test.py configs/deeplab/deeplabv2_r101_voc_crf.py CHECKPOINT
_base_ = './deeplabv2_r101_voc.py'

test_evaluator = [
    dict(type='IoUMetric', iou_metrics=['mIoU']),
    dict(
        type='RefinedIoUMetric',
        iou_metrics=['mIoU'],
        refiner=dict(type='DenseCRF', preset='deeplab'))
]
