# Three epochs of VOC train_aug at batch 32, as IRN trains its boundaries; the
# displacements learn ten times as fast. Its code hands the weight decay to SGD's
# momentum, which is hence close to none.
train_cfg = dict(type='IterBasedTrainLoop', max_iters=990)
val_cfg = None
test_cfg = None
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.1, momentum=1e-4, weight_decay=1e-4),
    constructor='WeakOptimWrapperConstructor',
    paramwise_cfg=dict(custom=[dict(pattern=r'auxiliary_head\.', lr_mult=10.)]))
# PolyLR reaches eta_min one step before its end: the factor is
# (1 - t / 990)**0.9 at step t.
param_scheduler = dict(
    type='PolyLR', power=0.9, eta_min=0., begin=0, end=991, by_epoch=False)
