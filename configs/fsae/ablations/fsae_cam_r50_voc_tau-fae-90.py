# Table 7: tau_FAE = 0.90, without SAE.
_base_ = '../fsae_cam_r50_voc.py'

model = dict(loss_fsae=dict(threshold=0.9, kernel_size=1))
