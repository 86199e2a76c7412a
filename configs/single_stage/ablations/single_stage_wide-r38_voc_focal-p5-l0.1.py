# Focal size penalty with p = 5, lambda = 0.1.
# python tools/train.py configs/single_stage/ablations/\
#     single_stage_wide-r38_voc_focal-p5-l0.1.py
_base_ = '../single_stage_wide-r38_voc.py'

model = dict(decode_head=dict(focal_p=5.0, focal_lambda=0.1))
