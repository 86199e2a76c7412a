# Where paper and code differ, as the paper says; see the README's table.
_base_ = '../single_stage_wide-r38_voc.py'

model = dict(
    decode_head=dict(
        gate=dict(shift=False, per_pixel=True),
        cues=dict(shallow_norm='instance', residual_scale=False),
        pool_eps=1e-5,
        refiner=dict(type='PAMR', variance=True),
        label_thresholds=dict(fg_ratio=0.6, bg_ratio=0.7, floor=0.),
        loss_mask=dict(type='SelfLabelLoss', balance='inverse'),
        bg_power=1.))
# 20 epochs.
train_cfg = dict(max_iters=13220)
custom_hooks = [
    dict(
        type='StageSwitchHook',
        stages=[
            dict(name='pretrain', iters=3305),
            dict(name='self_train', iters=9915),
        ])
]
