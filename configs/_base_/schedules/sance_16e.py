# 16 epochs of VOC train_aug at batch 10; a validation an epoch draws Figure 5.
# The factor is (1 - t / 16928)**0.9 at every tenth step t.
train_cfg = dict(type='IterBasedTrainLoop', max_iters=16928, val_interval=1058)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=2.5e-4, momentum=0.9, weight_decay=5e-4),
    constructor='WeakOptimWrapperConstructor',
    paramwise_cfg=dict(head_mult=10.))
param_scheduler = dict(
    type='SteppedPolyLR',
    refresh=10,
    power=0.9,
    eta_min=0.,
    begin=0,
    end=16929,
    by_epoch=False)
