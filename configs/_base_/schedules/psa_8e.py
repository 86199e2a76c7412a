# Eight epochs of VOC train_aug at batch 8, as PSA trains its affinities.
_base_ = './wseg_poly.py'

train_cfg = dict(max_iters=10576)
val_cfg = None
test_cfg = None
param_scheduler = dict(end=10577)
