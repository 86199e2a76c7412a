# Image labels for five epochs of VOC train_aug at batch 16, then the network's
# own labels too, for twenty. Constant rates: x1 and x2 for weights and biases of
# the backbone, x10 and x20 for those of the head.
train_cfg = dict(type='IterBasedTrainLoop', max_iters=16525, val_interval=3305)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.001, momentum=0.9, weight_decay=5e-4),
    constructor='WeakOptimWrapperConstructor',
    paramwise_cfg=dict(head_mult=10., bias_mult=2., bias_decay=0., norm_bias=True))
param_scheduler = None
custom_hooks = [
    dict(
        type='StageSwitchHook',
        stages=[
            dict(name='pretrain', iters=3305),
            dict(name='self_train', iters=13220),
        ])
]
