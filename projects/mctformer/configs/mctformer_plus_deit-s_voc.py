# MCTformer+: 45 epochs of VOC train_aug at batch 32 and 448 pixels; seeds of three
# scales. The rate is 5e-4 * 32 / 512.
# PYTHONPATH=. python tools/train.py \
#     projects/mctformer/configs/mctformer_plus_deit-s_voc.py
_base_ = [
    './_base_/mctformer_plus_deit-s.py', './_base_/plus_views.py',
    '../../../configs/_base_/datasets/voc_weak.py', './_base_/deit_60e.py',
    '../../../configs/_base_/default_runtime.py'
]

custom_imports = dict(imports=['mmwsss', 'projects.mctformer'])
train_dataloader = dict(
    batch_size=32, dataset=dict(pipeline=_base_.plus_pipeline))
seed_dataloader = dict(dataset=dict(pipeline=_base_.three_scales_pipeline))
train_cfg = dict(max_iters=14850, val_interval=14850)
optim_wrapper = dict(optimizer=dict(lr=3.125e-5))
param_scheduler = dict(iters_per_epoch=330, epochs=45, end=14850)
