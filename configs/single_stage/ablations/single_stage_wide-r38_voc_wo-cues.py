# Without global cue injection.
_base_ = '../single_stage_wide-r38_voc.py'

model = dict(decode_head=dict(cues=None))
