# The first stage of ESOL alone: a CAM network with two more convolutions.
# python tools/train.py configs/self_training/localizer_mobilenetv1_animals.py
_base_ = '../esol/esol_classify_mobilenetv1_animals.py'
