# Test only: scores with and without dense CRF in one run.
# python tools/test.py configs/deeplab/deeplabv1_r101_voc_crf.py CHECKPOINT --tta
_base_ = './deeplabv1_r101_voc.py'

test_evaluator = [
    dict(type='IoUMetric', iou_metrics=['mIoU']),
    dict(
        type='RefinedIoUMetric',
        iou_metrics=['mIoU'],
        refiner=dict(type='DenseCRF', preset='seam_test'))
]
