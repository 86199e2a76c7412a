# Figure 6c: Expansion + Shrinkage by the area loss alone.
_base_ = '../esol_r50_voc.py'

model = dict(decode_head=dict(loss_shrink=dict(loss_weight=0.)))
