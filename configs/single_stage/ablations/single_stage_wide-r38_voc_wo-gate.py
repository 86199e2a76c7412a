# Without stochastic gate.
_base_ = '../single_stage_wide-r38_voc.py'

model = dict(decode_head=dict(gate=None))
