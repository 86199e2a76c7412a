# Focal size penalty with p = 5, lambda = 0.1.
_base_ = '../single_stage_wide-r38_voc.py'

model = dict(decode_head=dict(focal_p=5.0, focal_lambda=0.1))
