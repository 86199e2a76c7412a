# Mixing rate 0.5 without global cue injection.
# python tools/train.py configs/single_stage/ablations/\
#     single_stage_wide-r38_voc_gate-0.5_wo-cues.py
_base_ = '../single_stage_wide-r38_voc.py'

model = dict(decode_head=dict(gate=dict(rate=0.5), cues=None))
