# AffinityNet on frozen MobileNetV1 features at strides 8, 16 and 16, of half the
# channels: small enough for a CPU.
# python tools/train.py configs/psa/psa_mobilenetv1_animals.py
_base_ = [
    '../_base_/models/psa_wide-r38.py', '../_base_/datasets/animals_affinity.py',
    '../_base_/schedules/psa_8e.py', '../_base_/default_runtime.py'
]

model = dict(
    data_preprocessor=dict(
        mean=[127.5, 127.5, 127.5], std=[127.5, 127.5, 127.5],
        size=(256, 256)),
    backbone=dict(
        _delete_=True,
        type='mmpretrain.TIMMBackbone',
        model_name='mobilenetv1_100',
        features_only=True,
        output_stride=16,
        pretrained=True),
    norm_eval=True,
    frozen=('timm_model', ),
    decode_head=dict(
        in_channels=[256, 512, 1024],
        in_index=(2, 3, 4),
        reduced_channels=(32, 64, 128),
        num_classes=7))
walk_tta_model = dict(pad_size=16, pad_divisor=16)
train_dataloader = dict(batch_size=4)
train_cfg = dict(max_iters=300)
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='AdamW', lr=1e-3, weight_decay=0.01))
param_scheduler = dict(end=301)
