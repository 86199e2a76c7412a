# As cam_r101_voc.py, for COCO.
# python tools/train.py configs/sance/cam_r50_coco.py
_base_ = '../cam/cam_r50_coco.py'

optim_wrapper = dict(optimizer=dict(momentum=0.9))
