# What learns in Shrinkage: the offsets and the classifier.
_base_ = '../esol_r50_voc.py'

model = dict(decode_head=dict(shrink_trains='offsets+classifier'))
