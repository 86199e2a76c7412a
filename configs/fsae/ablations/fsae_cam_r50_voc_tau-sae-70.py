# Table 10: tau_SAE = 0.7.
_base_ = '../fsae_cam_r50_voc.py'

model = dict(loss_fsae=dict(ring_threshold=0.7))
