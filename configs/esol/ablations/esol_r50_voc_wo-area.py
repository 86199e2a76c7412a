# Table 6: Expansion + Shrinkage w/o L_area.
# python tools/train.py configs/esol/ablations/esol_r50_voc_wo-area.py
_base_ = '../esol_r50_voc.py'

model = dict(decode_head=dict(loss_area=None))
