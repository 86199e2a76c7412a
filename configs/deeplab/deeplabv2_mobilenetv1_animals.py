# DeepLab v2's head on MobileNetV1 at stride 16, small enough for a CPU.
# python tools/train.py configs/deeplab/deeplabv2_mobilenetv1_animals.py
_base_ = [
    '../_base_/models/deeplabv2_r101.py', '../_base_/datasets/animals_pseudo.py',
    '../_base_/schedules/deeplabv2_20k.py', '../_base_/default_runtime.py'
]

model = dict(
    _delete_=True,
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[127.5, 127.5, 127.5],
        std=[127.5, 127.5, 127.5],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
        size=(256, 256)),
    backbone=dict(
        type='mmpretrain.TIMMBackbone',
        model_name='mobilenetv1_100',
        features_only=True,
        output_stride=16,
        pretrained=True),
    decode_head=dict(
        type='SummedASPPHead',
        in_channels=1024,
        in_index=-1,
        dilations=(1, 2, 4, 6),
        num_classes=7,
        align_corners=False,
        loss_decode=dict(type='PixelCrossEntropyLoss')),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
optim_wrapper = dict(optimizer=dict(lr=5e-4))
train_cfg = dict(max_iters=700, val_interval=700)
param_scheduler = dict(end=701)
