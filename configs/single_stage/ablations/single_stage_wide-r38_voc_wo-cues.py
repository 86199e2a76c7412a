# Without global cue injection.
# python tools/train.py configs/single_stage/ablations/\
#     single_stage_wide-r38_voc_wo-cues.py
_base_ = '../single_stage_wide-r38_voc.py'

model = dict(decode_head=dict(cues=None))
