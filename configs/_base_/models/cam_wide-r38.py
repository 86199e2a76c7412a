# CAM on WideResNet38 at stride 8, as PSA and later methods start.
_base_ = './imagenet_rgb.py'

data_preprocessor = dict(_base_.data_preprocessor, size=(448, 448))
model = dict(
    type='WeakSegmentor',
    data_preprocessor=data_preprocessor,
    backbone=dict(
        type='WideResNet38',
        # tools/model_converters/psa2mmwsss.py writes it.
        init_cfg=dict(type='Pretrained', checkpoint='pretrain/wide_resnet38_in1k.pth')),
    decode_head=dict(
        type='CAMHead',
        in_channels=4096,
        in_index=3,
        num_classes=21,
        dropout_ratio=0.5,
        bg_thr=0.2,
        init_cfg=dict(type='Xavier', distribution='uniform', layer='Conv2d')),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
# Maps are merged at the image's size, as PSA and its successors do.
tta_model = dict(type='CAMTTAModel', size_divisor=1)
