# Focal size penalty with p = 0, lambda = 0.01.
# python tools/train.py configs/single_stage/ablations/\
#     single_stage_wide-r38_voc_focal-p0-l0.01.py
_base_ = '../single_stage_wide-r38_voc.py'

model = dict(decode_head=dict(focal_p=0.0, focal_lambda=0.01))
