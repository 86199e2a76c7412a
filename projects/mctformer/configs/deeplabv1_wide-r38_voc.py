# The DeepLab of MCTformer: thirty epochs of VOC train_aug at batch 4.
# PYTHONPATH=. python tools/train.py \
#     projects/mctformer/configs/deeplabv1_wide-r38_voc.py
_base_ = [
    './_base_/deeplabv1_wide-r38.py', '../../../configs/_base_/datasets/voc_pseudo.py',
    '../../../configs/_base_/default_runtime.py'
]

custom_imports = dict(imports=['mmwsss', 'projects.mctformer'])
train_dataloader = dict(batch_size=4, dataset=dict(pipeline=_base_.r38_pipeline))
