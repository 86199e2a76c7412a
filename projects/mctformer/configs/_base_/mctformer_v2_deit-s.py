# MCTformer-V2 on DeiT-S, images of 224 pixels. Its authors walk with a constant
# background of 0.39, the threshold that suits its seeds best.
_base_ = '../../../../configs/_base_/models/imagenet_rgb.py'

data_preprocessor = dict(_base_.data_preprocessor, size=(224, 224))
model = dict(
    type='WeakSegmentor',
    data_preprocessor=data_preprocessor,
    backbone=dict(
        type='ClassTokenViT',
        num_classes=21,
        model_name='deit_small_patch16_224',
        img_size=224,
        drop_path_rate=0.1,
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://dl.fbaipublicfiles.com/deit/'
            'deit_small_patch16_224-cd65a155.pth')),
    decode_head=dict(
        type='MCTformerV2Head',
        in_channels=384,
        num_classes=21,
        attention_layers=3,
        bg_thr=0.39),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
tta_model = dict(
    type='CAMTTAModel', min_max=True, eps=1e-8, size_divisor=1, bg_thr=0.39)
