# MCTformer-V2: sixty epochs of VOC train_aug at batch 64. --amp as the authors do.
# PYTHONPATH=. python tools/train.py \
#     projects/mctformer/configs/mctformer_v2_deit-s_voc.py
_base_ = [
    './_base_/mctformer_v2_deit-s.py', './_base_/deit_views.py',
    '../../../configs/_base_/datasets/voc_weak.py', './_base_/deit_60e.py',
    '../../../configs/_base_/default_runtime.py'
]

custom_imports = dict(imports=['mmwsss', 'projects.mctformer'])
train_dataloader = dict(
    batch_size=64, dataset=dict(pipeline=_base_.deit_pipeline))
seed_dataloader = dict(dataset=dict(pipeline=_base_.one_scale_pipeline))
