# Table 6: Expansion w/o (DT_e + FL) + Shrinkage.
_base_ = './esol_r50_voc_wo-dte.py'

model = dict(decode_head=dict(clip_ratio=None))
