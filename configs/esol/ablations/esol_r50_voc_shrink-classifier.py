# What learns in Shrinkage: the offsets and the classifier.
# python tools/train.py configs/esol/ablations/esol_r50_voc_shrink-classifier.py
_base_ = '../esol_r50_voc.py'

model = dict(decode_head=dict(shrink_trains='offsets+classifier'))
