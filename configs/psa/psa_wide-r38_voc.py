# Eight epochs of VOC train_aug at batch 8.
# python tools/train.py configs/psa/psa_wide-r38_voc.py
_base_ = [
    '../_base_/models/psa_wide-r38.py', '../_base_/datasets/voc_affinity.py',
    '../_base_/schedules/wseg_poly.py', '../_base_/default_runtime.py'
]

train_cfg = dict(max_iters=10576)
val_cfg = None
test_cfg = None
param_scheduler = dict(end=10577)
