# What learns in Shrinkage: the offsets, conv_2 and the classifier.
# python tools/train.py configs/esol/ablations/esol_r50_voc_shrink-all.py
_base_ = '../esol_r50_voc.py'

model = dict(decode_head=dict(shrink_trains='offsets+conv_2+classifier'))
