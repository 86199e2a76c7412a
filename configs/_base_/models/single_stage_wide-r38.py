# WideResNet-38 at stride 8 and a decoder at stride 4.
_base_ = './imagenet_rgb.py'

# The crops are all of one size: no padding.
data_preprocessor = dict(_base_.data_preprocessor, size_divisor=1)
model = dict(
    type='SelfTrainSegmentor',
    data_preprocessor=data_preprocessor,
    backbone=dict(
        type='WideResNet38',
        out_indices=(0, 3),
        frozen_stages=2,
        # tools/model_converters/psa2mmwsss.py writes it.
        init_cfg=dict(type='Pretrained', checkpoint='pretrain/wide_resnet38_in1k.pth')),
    decode_head=dict(
        type='NGWPHead',
        in_channels=(256, 4096),
        in_index=(0, 1),
        num_classes=21),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
tta_model = dict(type='MaskTTAModel')
# The seeds of tools/generate_seeds.py have a background of their own.
label_rule = dict(type='ThresholdLabel', refiner=dict(type='DenseCRF', preset='psa'))
# The *_crf.py configs test with it.
crf_evaluator = [
    dict(type='IoUMetric', iou_metrics=['mIoU']),
    dict(
        type='RefinedIoUMetric',
        iou_metrics=['mIoU'],
        softmax=False,
        refiner=dict(type='DenseCRF', preset='psa'))
]
