# Mixing rate 0.5 without global cue injection.
_base_ = '../single_stage_wide-r38_voc.py'

model = dict(decode_head=dict(gate=dict(rate=0.5), cues=None))
