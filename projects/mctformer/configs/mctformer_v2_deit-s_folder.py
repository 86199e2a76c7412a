# MCTformer-V2 with DeiT-S for your own photos, for which tags suffice;
# docs/en/own_photos.md says how to lay them out. An epoch is that of 1,600 images.
# PYTHONPATH=. python tools/train.py \
#     projects/mctformer/configs/mctformer_v2_deit-s_folder.py
_base_ = [
    './_base_/mctformer_v2_deit-s.py', './_base_/deit_views.py',
    '../../../configs/_base_/datasets/folder_weak.py', './_base_/deit_60e.py',
    '../../../configs/_base_/default_runtime.py'
]

custom_imports = dict(imports=['mmwsss', 'projects.mctformer'])
train_dataloader = dict(
    batch_size=64, dataset=dict(pipeline=_base_.deit_pipeline))
seed_dataloader = dict(dataset=dict(pipeline=_base_.one_scale_pipeline))
train_cfg = dict(max_iters=1500, val_interval=1500)
param_scheduler = dict(iters_per_epoch=25, end=1500)
