# Tables 1 and 2: SANCE-naive at stride 16.
_base_ = './sance_r101_voc_naive.py'

model = dict(backbone=dict(strides=(1, 2, 2, 1), dilations=(1, 1, 1, 1)))
