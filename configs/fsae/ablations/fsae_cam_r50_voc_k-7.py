# Table 9: a dilation of 7 x 7.
_base_ = '../fsae_cam_r50_voc.py'

model = dict(loss_fsae=dict(kernel_size=7))
