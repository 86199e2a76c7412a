# SANCE's classifier with the momentum of its paper; configs/cam trains as IRN's code.
# python tools/train.py configs/sance/cam_r101_voc.py
_base_ = '../cam/cam_r101_voc.py'

optim_wrapper = dict(optimizer=dict(momentum=0.9))
