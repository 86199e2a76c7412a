# Table 6: Expansion + Shrinkage w/o L_area.
_base_ = '../esol_r50_voc.py'

model = dict(decode_head=dict(loss_area=None))
