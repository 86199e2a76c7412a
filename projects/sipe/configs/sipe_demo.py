# SIPE with a small network from scratch on generated scenes. Supervision: I.
# PYTHONPATH=. python tools/train.py projects/sipe/configs/sipe_demo.py
_base_ = '../../../configs/cam/cam_demo.py'

custom_imports = dict(imports=['mmwsss', 'projects.sipe'])
model = dict(
    decode_head=dict(
        type='SIPEHead',
        in_channels=[32, 64, 128],
        in_index=(0, 1, 2),
        side_channels=(16, 16, 32)))
tta_model = dict(type='SIPETTAModel')
# Seeds compete with a background of their own.
val_evaluator = dict(own_background=True)
test_evaluator = val_evaluator
label_rule = dict(type='IRNLabel', background_factor=0.5)
optim_wrapper = dict(clip_grad=dict(max_norm=1.))
