# From tags to the mIoU on PASCAL VOC 2012 val:
# python tools/pipeline.py \
#     configs/single_stage/single_stage_wide-r38_voc_pipeline.py --gpus 4
# Elsewhere than in data/: --cfg-options data_root=/data/VOCdevkit/VOC2012
_base_ = [
    '../_base_/pipelines/single_stage.py', '../_base_/pipelines/segmentation.py'
]
title = 'Single-stage segmentation with WideResNet-38 on PASCAL VOC 2012'
data_root = 'data/VOCdevkit/VOC2012'
localizer = '{{ fileDirname }}/single_stage_wide-r38_voc.py'
segmentor = '{{ fileDirname }}/../deeplab/deeplabv2_r101_voc.py'
score_list = 'ImageSets/Segmentation/train.txt'
val_list = 'ImageSets/Segmentation/val.txt'
masks = 'SegmentationClassAug'
protocol = dict(
    split='training on train_aug, seeds scored on train, segmentation on val',
    labels='classes of the XML files or masks, see docs/en/voc.md',
    threshold='none: masks have a background of their own',
    scales='0.5, 1, 1.5, 2 and flips for seeds; 1 for segmentation',
    weights='ImageNet for the classifier; see the segmentation config',
    supervision='I (image labels)')
steps = [
    *_base_.localization_steps,
    *_base_.segmentation_steps,
    _base_.report_step,
]
