# Appendix A.1.1: gradient ascent without a deformable convolution.
_base_ = '../esol_r50_voc.py'

model = dict(decode_head=dict(expand_offsets=False, clip_ratio=None))
# Without shrink.
custom_hooks = [
    dict(type='StageSwitchHook', stages=_base_.custom_hooks[0].stages[:2])
]
