# python tools/train.py configs/cam/cam_r50_s8_voc.py
_base_ = './cam_r50_voc.py'

# Stride 8: the last two layers are dilated.
model = dict(
    backbone=dict(strides=(1, 2, 1, 1), dilations=(1, 1, 2, 2), contract_dilation=True))
# IRN's multiple of 16 is for stride 16.
tta_model = dict(size_divisor=1)
