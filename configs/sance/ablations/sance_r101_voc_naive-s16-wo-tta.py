# Table 1: SANCE-naive at stride 16 whose pseudo labels are made from one view.
_base_ = './sance_r101_voc_naive-wo-tta.py'

model = dict(backbone=dict(strides=(1, 2, 2, 1), dilations=(1, 1, 1, 1)))
