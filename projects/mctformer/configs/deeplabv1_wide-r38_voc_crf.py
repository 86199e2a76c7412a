# Test only: scores with and without MCTformer's dense CRF in one run.
# PYTHONPATH=. python tools/test.py \
#     projects/mctformer/configs/deeplabv1_wide-r38_voc_crf.py CHECKPOINT --tta
_base_ = './deeplabv1_wide-r38_voc.py'

test_evaluator = [
    dict(type='IoUMetric', iou_metrics=['mIoU']),
    dict(
        type='RefinedIoUMetric',
        iou_metrics=['mIoU'],
        refiner=dict(type='DenseCRF', preset='mctformer'))
]
