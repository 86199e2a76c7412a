# Five epochs of classification, then ten of expansion and ten of shrinkage on
# VOC train_aug at batch 16.
_base_ = './cam_5e.py'

train_cfg = dict(max_iters=16525, val_interval=16525)
# Schedulers without an end last as long as their stage.
param_scheduler = dict(
    _delete_=True, type='PolyLR', power=0.9, eta_min=0., by_epoch=False)
custom_hooks = [
    dict(
        type='StageSwitchHook',
        stages=[
            dict(
                name='classify',
                iters=3305,
                # A tenth of the classifier's rate, at which convolutions of
                # this size would diverge.
                optim_wrapper=dict(
                    paramwise_cfg=dict(custom=[
                        dict(pattern=r'conv_[12]\.weight', lr_mult=1.)
                    ]))),
            dict(
                name='expand',
                iters=6610,
                optim_wrapper=dict(
                    optimizer=dict(lr=0.01),
                    paramwise_cfg=dict(head_mult=1.))),
            dict(
                name='shrink',
                iters=6610,
                optim_wrapper=dict(
                    optimizer=dict(lr=0.1),
                    paramwise_cfg=dict(head_mult=1.))),
        ])
]
