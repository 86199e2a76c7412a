# Focal size penalty with p = 1, lambda = 0.01, mixing rate 0.5 as in that table.
_base_ = './single_stage_wide-r38_voc_gate-0.5.py'

model = dict(decode_head=dict(focal_p=1.0, focal_lambda=0.01))
