# Protocol A: rates x1 (backbone), x10 (head), x20 without decay (its biases).
# Less memory: train_dataloader.batch_size=5 optim_wrapper.accumulative_counts=2
# train_cfg.max_iters=40000 train_cfg.val_interval=40000
# param_scheduler.end=40001 param_scheduler.refresh=20
train_cfg = dict(type='IterBasedTrainLoop', max_iters=20000, val_interval=20000)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=2.5e-4, momentum=0.9, weight_decay=5e-4),
    constructor='WeakOptimWrapperConstructor',
    paramwise_cfg=dict(head_mult=10., bias_mult=2., bias_decay=0.))
# The factor is (1 - t / 20000)**0.9 at every tenth step t.
param_scheduler = dict(
    type='SteppedPolyLR',
    refresh=10,
    power=0.9,
    eta_min=0.,
    begin=0,
    end=20001,
    by_epoch=False)
