# MCTformer+ for COCO. Its code has no schedule for it; this is that for VOC.
# PYTHONPATH=. python tools/train.py \
#     projects/mctformer/configs/mctformer_plus_deit-s_coco.py
_base_ = [
    './_base_/mctformer_plus_deit-s.py', './_base_/plus_views.py',
    '../../../configs/_base_/datasets/coco_weak.py', './_base_/deit_60e.py',
    '../../../configs/_base_/default_runtime.py'
]

custom_imports = dict(imports=['mmwsss', 'projects.mctformer'])
model = dict(backbone=dict(num_classes=81), decode_head=dict(num_classes=81))
train_dataloader = dict(
    batch_size=32, dataset=dict(pipeline=_base_.plus_pipeline))
seed_dataloader = dict(dataset=dict(pipeline=_base_.three_scales_pipeline))
train_cfg = dict(max_iters=116370, val_interval=116370)
optim_wrapper = dict(optimizer=dict(lr=3.125e-5))
param_scheduler = dict(iters_per_epoch=2586, epochs=45, end=116370)
