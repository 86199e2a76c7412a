# The gate mixes in training as in evaluation.
_base_ = '../single_stage_wide-r38_voc.py'

model = dict(decode_head=dict(gate=dict(deterministic=True)))
