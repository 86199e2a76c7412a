# Test only: with and without dense CRF in one run.
# python tools/test.py \
#     configs/single_stage/single_stage_mobilenetv1_animals_crf.py CHECKPOINT --tta
_base_ = './single_stage_mobilenetv1_animals.py'

test_evaluator = _base_.crf_evaluator
