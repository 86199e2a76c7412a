# Mixing rate 0.5 without global cue injection.
_base_ = './single_stage_wide-r38_voc_gate-0.5.py'

model = dict(decode_head=dict(cues=None))
