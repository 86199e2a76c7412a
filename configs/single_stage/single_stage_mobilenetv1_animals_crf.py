# Test only: with and without dense CRF in one run.
# python tools/test.py \
#     configs/single_stage/single_stage_mobilenetv1_animals_crf.py CHECKPOINT --tta
_base_ = './single_stage_mobilenetv1_animals.py'

test_evaluator = [
    dict(type='IoUMetric', iou_metrics=['mIoU']),
    dict(
        type='RefinedIoUMetric',
        iou_metrics=['mIoU'],
        softmax=False,
        refiner=dict(type='DenseCRF', preset='psa'))
]
