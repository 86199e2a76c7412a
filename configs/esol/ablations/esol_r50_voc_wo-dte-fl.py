# Table 6: Expansion w/o (DT_e + FL) + Shrinkage.
_base_ = '../esol_r50_voc.py'

model = dict(decode_head=dict(clip_ratio=None))
# The first sampler, never trained, keeps its zero offsets.
custom_hooks = [
    dict(
        type='StageSwitchHook',
        stages=[
            _base_.custom_hooks[0]['stages'][0],  # classify
            _base_.custom_hooks[0]['stages'][2],  # shrink
        ])
]
