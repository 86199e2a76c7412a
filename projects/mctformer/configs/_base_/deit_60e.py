# Sixty epochs of VOC train_aug at batch 64 (165 iterations each), as DeiT's code
# trains: the rate is 5e-4 * 64 / 512, and what has one dimension, and tokens and
# positions, do not decay.
train_cfg = dict(type='IterBasedTrainLoop', max_iters=9900, val_interval=9900)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=6.25e-5, weight_decay=0.05),
    constructor='WeakOptimWrapperConstructor',
    paramwise_cfg=dict(
        bias_decay=0.,
        custom=[
            dict(pattern=r'\.norm\d\.|class_token|_position', decay_mult=0.)
        ]))
param_scheduler = dict(
    type='EpochCosineLR',
    iters_per_epoch=165,
    epochs=60,
    eta_min=1e-5,
    begin=0,
    end=9900,
    by_epoch=False)
