# Table 7: tau_FAE = 0.85, without SAE.
_base_ = '../fsae_cam_r50_voc.py'

model = dict(loss_fsae=dict(threshold=0.85, kernel_size=1))
