# As SEAM refines its maps.
# python tools/train.py configs/psa/psa_wide-r38_voc_seam.py
_base_ = './psa_wide-r38_voc.py'

optim_wrapper = dict(optimizer=dict(lr=0.01))
label_rule = dict(high_alpha=24)
walk = dict(refiner=dict(steps=64), alpha=6)
