# The gate mixes in training as in evaluation.
# python tools/train.py configs/single_stage/ablations/\
#     single_stage_wide-r38_voc_gate-deterministic.py
_base_ = '../single_stage_wide-r38_voc.py'

model = dict(decode_head=dict(gate=dict(deterministic=True)))
