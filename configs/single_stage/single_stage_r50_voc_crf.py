# Test only: images of val without their image labels, with and without dense
# CRF in one run.
# python tools/test.py \
#     configs/single_stage/single_stage_r50_voc_crf.py CHECKPOINT --tta
_base_ = './single_stage_r50_voc.py'

test_evaluator = _base_.crf_evaluator
