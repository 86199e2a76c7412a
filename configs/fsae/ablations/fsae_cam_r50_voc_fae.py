# Table 6: FAE alone. Also tau_FAE = 0.95 of Table 7 and k = none of Table 9.
_base_ = '../fsae_cam_r50_voc.py'

model = dict(loss_fsae=dict(kernel_size=1))
