# MCTformer-V2 on DeiT-Tiny with its ImageNet weights, at 224 pixels: six animals of
# VOC, 800 images, twelve epochs.
# PYTHONPATH=. python tools/train.py \
#     projects/mctformer/configs/mctformer_v2_deit-t_animals.py
_base_ = [
    './_base_/mctformer_v2_deit-s.py', './_base_/deit_views.py',
    '../../../configs/_base_/datasets/animals_weak.py', './_base_/deit_60e.py',
    '../../../configs/_base_/default_runtime.py'
]

custom_imports = dict(imports=['mmwsss', 'projects.mctformer'])
model = dict(
    backbone=dict(
        num_classes=7,
        model_name='deit_tiny_patch16_224',
        init_cfg=dict(
            checkpoint='https://dl.fbaipublicfiles.com/deit/'
            'deit_tiny_patch16_224-a1311bcf.pth')),
    decode_head=dict(in_channels=192, num_classes=7))
train_dataloader = dict(
    batch_size=16, dataset=dict(pipeline=_base_.deit_pipeline))
seed_dataloader = dict(dataset=dict(pipeline=_base_.one_scale_pipeline))
train_cfg = dict(max_iters=600, val_interval=600)
param_scheduler = dict(iters_per_epoch=50, epochs=12, warmup_epochs=1, end=600)
