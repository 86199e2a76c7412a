# Table 4: the online labels of both branches are refined (M and B).
_base_ = '../sance_r101_voc.py'

model = dict(refined=('contour', 'segmentation'))
