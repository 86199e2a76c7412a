# The first stage of ESOL alone: a CAM network with two more convolutions.
# python tools/train.py configs/self_training/localizer_r50_voc.py
_base_ = '../esol/esol_classify_r50_voc.py'
