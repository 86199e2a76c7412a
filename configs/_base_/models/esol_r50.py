_base_ = './cam_r50.py'

model = dict(
    decode_head=dict(
        type='ESOLHead',
        kernel_size=3,
        clip_ratio=0.15,
        loss_expand=dict(type='InverseClassificationLoss', loss_weight=0.01),
        loss_shrink=dict(type='MultiLabelSoftMarginLoss', loss_weight=1.),
        loss_area=dict(type='AreaLoss', loss_weight=1.)))
