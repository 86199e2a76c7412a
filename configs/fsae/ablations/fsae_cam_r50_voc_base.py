# Table 6: the base, with the schedule and weak view of FSAE.
_base_ = '../fsae_cam_r50_voc.py'

model = dict(loss_fsae=dict(threshold=1.1))
