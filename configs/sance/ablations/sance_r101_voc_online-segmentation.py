# Table 3: the segmentation alone learns from online labels.
_base_ = '../sance_r101_voc.py'

model = dict(online=('segmentation', ), refined=())
