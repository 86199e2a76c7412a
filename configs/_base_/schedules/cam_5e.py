# Five epochs of VOC train_aug at batch 16, as IRN trains its CAM network. Its
# code hands the weight decay to SGD's momentum, which is hence close to none.
train_cfg = dict(type='IterBasedTrainLoop', max_iters=3305, val_interval=3305)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.1, momentum=1e-4, weight_decay=1e-4),
    constructor='WeakOptimWrapperConstructor',
    paramwise_cfg=dict(head_mult=10.))
# PolyLR reaches eta_min one step before its end: the factor is
# (1 - t / 3305)**0.9 at step t.
param_scheduler = dict(
    type='PolyLR', power=0.9, eta_min=0., begin=0, end=3306, by_epoch=False)
