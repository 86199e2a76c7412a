# MCTformer-V2 with a small network from scratch on generated scenes: four blocks on
# the features of a small ResNet. Patch affinity, without pretraining, is none, and
# refines nothing.
# PYTHONPATH=. python tools/train.py projects/mctformer/configs/mctformer_v2_demo.py
_base_ = [
    './_base_/mctformer_v2_deit-s.py',
    '../../../configs/_base_/datasets/demo_weak.py',
    '../../../configs/_base_/schedules/cam_5e.py',
    '../../../configs/_base_/default_runtime.py'
]

custom_imports = dict(imports=['mmwsss', 'projects.mctformer'])
model = dict(
    data_preprocessor=dict(size=(96, 96)),
    backbone=dict(
        num_classes=7,
        model_name='deit_tiny_patch16_224',
        depth=4,
        embed_dim=96,
        img_size=96,
        patch_size=8,
        stem=dict(
            type='ResNet',
            depth=18,
            stem_channels=32,
            base_channels=32,
            num_stages=3,
            out_indices=(2, ),
            strides=(1, 2, 1),
            dilations=(1, 1, 1)),
        stem_channels=128,
        init_cfg=None),
    decode_head=dict(
        in_channels=96, num_classes=7, attention_layers=4, refine=False))
train_cfg = dict(max_iters=200, val_interval=200)
optim_wrapper = dict(
    _delete_=True,
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.01))
param_scheduler = dict(end=201)
