# mmseg's schedule for VOC at batch 16: one rate for all.
train_cfg = dict(type='IterBasedTrainLoop', max_iters=20000, val_interval=20000)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=5e-4))
param_scheduler = dict(
    type='PolyLR',
    power=0.9,
    eta_min=1e-4,
    begin=0,
    end=20000,
    by_epoch=False)
