# SEAM on WideResNet38 at stride 8.
_base_ = './cam_wide-r38.py'

model = dict(
    second_view=0.3,
    decode_head=dict(
        _delete_=True,
        type='SEAMHead',
        in_channels=[512, 1024, 4096],
        num_classes=21,
        bg_thr=0.26))
tta_model = dict(min_max=True, bg_thr=0.26)
