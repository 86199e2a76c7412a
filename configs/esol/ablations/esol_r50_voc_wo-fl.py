# Table 6: Expansion w/o FL + Shrinkage.
_base_ = '../esol_r50_voc.py'

model = dict(decode_head=dict(clip_ratio=None))
