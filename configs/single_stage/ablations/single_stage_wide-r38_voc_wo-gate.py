# Without stochastic gate.
# python tools/train.py configs/single_stage/ablations/\
#     single_stage_wide-r38_voc_wo-gate.py
_base_ = '../single_stage_wide-r38_voc.py'

model = dict(decode_head=dict(gate=None))
