# SIPE for COCO: five epochs of the 82,081 images of train2014 with tags at batch 16.
# Supervision: I.
# PYTHONPATH=. python tools/train.py projects/sipe/configs/sipe_r50_coco.py
_base_ = '../../../configs/cam/cam_r50_coco.py'

custom_imports = dict(imports=['mmwsss', 'projects.sipe'])
model = dict(
    decode_head=dict(type='SIPEHead', in_channels=[256, 512, 1024, 2048]))
tta_model = dict(type='SIPETTAModel')
# Seeds compete with a background of their own.
val_evaluator = dict(own_background=True)
test_evaluator = val_evaluator
label_rule = dict(type='IRNLabel', background_factor=0.5)
train_dataloader = dict(dataset=dict(ann_file='lists/train2014_labeled.txt'))
train_cfg = dict(max_iters=25650, val_interval=25650)
optim_wrapper = dict(clip_grad=dict(max_norm=1.))
param_scheduler = dict(end=25651)
