# SIPE for your own images on a CPU; docs/en/own_photos.md says how to lay them out.
# PYTHONPATH=. python tools/train.py projects/sipe/configs/sipe_mobilenetv1_folder.py
_base_ = '../../../configs/cam/cam_mobilenetv1_folder.py'

custom_imports = dict(imports=['mmwsss', 'projects.sipe'])
model = dict(
    decode_head=dict(
        type='SIPEHead',
        in_channels=[128, 256, 512, 1024],
        in_index=(1, 2, 3, 4)))
tta_model = dict(type='SIPETTAModel')
# Seeds compete with a background of their own.
val_evaluator = dict(own_background=True)
test_evaluator = val_evaluator
label_rule = dict(type='IRNLabel', background_factor=0.5)
optim_wrapper = dict(clip_grad=dict(max_norm=1.))
