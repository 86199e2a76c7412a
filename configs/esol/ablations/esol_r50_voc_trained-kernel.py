# Appendix A.1.3: the kernel inside the deformable convolution learns too.
_base_ = '../esol_r50_voc.py'

model = dict(decode_head=dict(expand_trains_kernel=True, clip_ratio=None))
# Without shrink.
custom_hooks = [
    dict(type='StageSwitchHook', stages=_base_.custom_hooks[0].stages[:2])
]
