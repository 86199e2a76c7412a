# Table 4: the segmentation's online labels are refined (M).
_base_ = '../sance_r101_voc.py'

model = dict(refined=('segmentation', ))
