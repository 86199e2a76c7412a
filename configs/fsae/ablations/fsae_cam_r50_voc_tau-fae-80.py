# Table 7: tau_FAE = 0.80, without SAE.
_base_ = '../fsae_cam_r50_voc.py'

model = dict(loss_fsae=dict(threshold=0.8, kernel_size=1))
