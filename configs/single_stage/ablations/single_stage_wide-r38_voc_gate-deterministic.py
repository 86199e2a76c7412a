# The gate mixes in training as in evaluation, half and half.
_base_ = './single_stage_wide-r38_voc_gate-0.5.py'

model = dict(decode_head=dict(gate=dict(deterministic=True)))
