# Table 3: the contour branch alone learns from online labels.
_base_ = '../sance_r101_voc.py'

model = dict(online=('contour', ), refined=())
