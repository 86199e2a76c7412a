# As MCTformer refines its maps, starting from PSA's classifier.
# python tools/train.py configs/psa/psa_wide-r38_voc_mctformer.py
_base_ = './psa_wide-r38_voc.py'

# tools/model_converters/psa2mmwsss.py writes it; only its backbone fits.
model = dict(
    backbone=dict(
        init_cfg=dict(
            checkpoint='pretrain/psa_cls_wide-r38_voc.pth',
            prefix='backbone.')))
# Five epochs.
train_cfg = dict(max_iters=6610)
param_scheduler = dict(end=6611)
optim_wrapper = dict(optimizer=dict(lr=0.01))
label_rule = dict(low_alpha=1, high_alpha=12)
walk = dict(refiner=dict(steps=64), bg_thr=0.39, alpha=None)
