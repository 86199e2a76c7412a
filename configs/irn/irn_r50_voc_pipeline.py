# From tags to the mIoU on PASCAL VOC 2012 val by CAM and IRN:
# python tools/pipeline.py configs/irn/irn_r50_voc_pipeline.py --gpus 4
# Elsewhere than in data/: --cfg-options data_root=/data/VOCdevkit/VOC2012
_base_ = [
    '../_base_/pipelines/cam.py', '../_base_/pipelines/irn.py',
    '../_base_/pipelines/segmentation.py'
]
title = 'CAM and IRN with ResNet-50 on PASCAL VOC 2012'
data_root = 'data/VOCdevkit/VOC2012'
localizer = '{{ fileDirname }}/../cam/cam_r50_voc.py'
irn = '{{ fileDirname }}/irn_r50_voc.py'
segmentor = '{{ fileDirname }}/../deeplab/deeplabv2_r101_voc.py'
conf_fg = 0.3
conf_bg = 0.05
score_list = 'ImageSets/Segmentation/train.txt'
val_list = 'ImageSets/Segmentation/val.txt'
masks = 'SegmentationClassAug'
protocol = dict(
    split='training on train_aug, seeds scored on train, segmentation on val',
    labels='classes of the XML files or masks, see docs/en/voc.md',
    threshold='best mIoU on train',
    scales='0.5, 1, 1.5, 2 and flips for seeds; 1 and flip for boundaries; 1 for '
    'segmentation',
    weights='ImageNet; see the segmentation config',
    supervision='I (image labels)')
steps = [
    # Without the pseudo labels of CAM.
    *_base_.localization_steps[:-2],
    *_base_.irn_steps,
    *_base_.segmentation_steps,
    _base_.irn_report_step,
]
