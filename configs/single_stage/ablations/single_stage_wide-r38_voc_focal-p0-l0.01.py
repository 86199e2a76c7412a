# Focal size penalty with p = 0, lambda = 0.01.
_base_ = '../single_stage_wide-r38_voc.py'

model = dict(decode_head=dict(focal_p=0.0, focal_lambda=0.01))
