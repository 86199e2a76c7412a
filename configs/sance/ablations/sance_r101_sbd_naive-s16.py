# Table 2: contours of a trained SANCE-naive at stride 16 on SBD val.
# python tools/test.py configs/sance/ablations/sance_r101_sbd_naive-s16.py CHECKPOINT
_base_ = '../sance_r101_sbd.py'

# As in sance_r101_voc_naive-s16.py.
model = dict(backbone=dict(strides=(1, 2, 2, 1), dilations=(1, 1, 1, 1)), refined=())
