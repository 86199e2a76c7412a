# As for VOC; MCTformer's code has no schedule for COCO. Five epochs of the images
# with tags at batch 16, at a rate four times as high.
# PYTHONPATH=. python tools/train.py \
#     projects/mctformer/configs/deeplabv1_wide-r38_coco.py
_base_ = [
    './_base_/deeplabv1_wide-r38.py', '../../../configs/_base_/datasets/coco_pseudo.py',
    '../../../configs/_base_/default_runtime.py'
]

custom_imports = dict(imports=['mmwsss', 'projects.mctformer'])
model = dict(decode_head=dict(num_classes=81))
train_dataloader = dict(batch_size=16, dataset=dict(pipeline=_base_.r38_pipeline))
train_cfg = dict(max_iters=25650, val_interval=25650)
optim_wrapper = dict(optimizer=dict(lr=2.8e-3))
param_scheduler = dict(end=25651)
