# Figure 6: accuracy and ratio of the online pseudo labels, FAE alone.
# Masks of the training images are read for these numbers only; no loss sees
# them.
_base_ = './fsae_cam_r50_voc_fig6-fsae.py'

model = dict(loss_fsae=dict(kernel_size=1))
