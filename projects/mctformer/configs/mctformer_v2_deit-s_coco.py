# MCTformer-V2 for COCO: sixty epochs of train2014 at batch 64.
# PYTHONPATH=. python tools/train.py \
#     projects/mctformer/configs/mctformer_v2_deit-s_coco.py
_base_ = [
    './_base_/mctformer_v2_deit-s.py', './_base_/deit_views.py',
    '../../../configs/_base_/datasets/coco_weak.py', './_base_/deit_60e.py',
    '../../../configs/_base_/default_runtime.py'
]

custom_imports = dict(imports=['mmwsss', 'projects.mctformer'])
model = dict(backbone=dict(num_classes=81), decode_head=dict(num_classes=81))
train_dataloader = dict(
    batch_size=64, dataset=dict(pipeline=_base_.deit_pipeline))
seed_dataloader = dict(dataset=dict(pipeline=_base_.one_scale_pipeline))
train_cfg = dict(max_iters=77580, val_interval=77580)
param_scheduler = dict(iters_per_epoch=1293, end=77580)
