# What learns in Shrinkage: the offsets, conv_2 and the classifier.
_base_ = '../esol_r50_voc.py'

model = dict(decode_head=dict(shrink_trains='offsets+conv_2+classifier'))
