# Not in the paper: Expansion goes down the classification loss.
_base_ = '../esol_r50_voc.py'

model = dict(decode_head=dict(loss_expand=dict(loss_weight=-0.01)))
