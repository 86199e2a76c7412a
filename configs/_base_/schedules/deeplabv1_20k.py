# Protocol B: rates x1 (backbone), x10 (head), x20 without decay (its biases).
train_cfg = dict(type='IterBasedTrainLoop', max_iters=20000, val_interval=20000)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=1e-3, momentum=0.9, weight_decay=5e-4),
    constructor='WeakOptimWrapperConstructor',
    paramwise_cfg=dict(head_mult=10., bias_mult=2., bias_decay=0.))
# The factor is (1 - t / 20001)**0.9 at step t.
param_scheduler = dict(
    type='PolyLR', power=0.9, eta_min=0., begin=0, end=20002, by_epoch=False)
