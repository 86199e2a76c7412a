# The four groups of PSA, SEAM and others: rates x1 (weights), x2 (biases), x10
# and x20 (of the head), biases without decay. Their code hands the weight decay
# to SGD's momentum, which is hence close to none.
train_cfg = dict(type='IterBasedTrainLoop', max_iters=9915, val_interval=9915)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.1, momentum=5e-4, weight_decay=5e-4),
    constructor='WeakOptimWrapperConstructor',
    paramwise_cfg=dict(head_mult=10., bias_mult=2., bias_decay=0.))
# The factor is (1 - t / 9915)**0.9 at step t.
param_scheduler = dict(
    type='PolyLR', power=0.9, eta_min=0., begin=0, end=9916, by_epoch=False)
