# Table 6: Expansion w/o FL + Shrinkage.
# python tools/train.py configs/esol/ablations/esol_r50_voc_wo-fl.py
_base_ = '../esol_r50_voc.py'

model = dict(decode_head=dict(clip_ratio=None))
