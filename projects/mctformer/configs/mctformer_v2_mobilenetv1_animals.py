# MCTformer-V2 whose patch tokens are made of MobileNetV1's features: four blocks of
# DeiT-Tiny that start from scratch on weights of ImageNet, small enough for a CPU.
# Patch affinity, without pretraining, is none, and refines nothing.
# PYTHONPATH=. python tools/train.py \
#     projects/mctformer/configs/mctformer_v2_mobilenetv1_animals.py
_base_ = [
    './_base_/mctformer_v2_deit-s.py',
    '../../../configs/_base_/datasets/animals_weak.py',
    '../../../configs/_base_/schedules/cam_5e.py',
    '../../../configs/_base_/default_runtime.py'
]

custom_imports = dict(imports=['mmwsss', 'projects.mctformer'])
model = dict(
    data_preprocessor=dict(
        mean=[127.5, 127.5, 127.5], std=[127.5, 127.5, 127.5],
        size=(256, 256)),
    backbone=dict(
        num_classes=7,
        model_name='deit_tiny_patch16_224',
        depth=4,
        img_size=256,
        stem=dict(
            type='mmpretrain.TIMMBackbone',
            model_name='mobilenetv1_100',
            features_only=True,
            output_stride=16,
            pretrained=True),
        stem_channels=1024,
        init_cfg=None),
    norm_eval=True,
    frozen=('stem.timm_model.conv_stem', 'stem.timm_model.bn1',
            'stem.timm_model.blocks.0', 'stem.timm_model.blocks.1',
            'stem.timm_model.blocks.2'),
    decode_head=dict(
        in_channels=192, num_classes=7, attention_layers=4, refine=False))
train_cfg = dict(max_iters=300, val_interval=300)
optim_wrapper = dict(
    _delete_=True,
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=5e-4, weight_decay=0.01),
    constructor='WeakOptimWrapperConstructor',
    paramwise_cfg=dict(custom=[dict(pattern='backbone.stem', lr_mult=0.2)]))
param_scheduler = dict(end=301)
