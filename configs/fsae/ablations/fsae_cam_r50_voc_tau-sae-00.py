# Table 10: tau_SAE = 0.
# python tools/train.py configs/fsae/ablations/fsae_cam_r50_voc_tau-sae-00.py
_base_ = '../fsae_cam_r50_voc.py'

model = dict(loss_fsae=dict(ring_threshold=0.0))
