# Table 6: Expansion + Shrinkage w/o (DT_s + L_area).
_base_ = '../esol_r50_voc.py'

model = dict(decode_head=dict(shrink_offsets=False, loss_area=None))
