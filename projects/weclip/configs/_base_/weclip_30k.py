# Only the decoder learns. A second learning rate of the published code, a tenth of this
# one, is of parameters that there are none of.
train_cfg = dict(type='IterBasedTrainLoop', max_iters=30000, val_interval=5000)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=2e-3, betas=(0.9, 0.999), weight_decay=0.01))
param_scheduler = dict(
    type='WarmupPolyLR', total=30000, begin=0, end=30001, by_epoch=False)
