# From tags to a segmentation model by SANCE:
# python tools/pipeline.py configs/sance/sance_r101_voc_pipeline.py --gpus 4
_base_ = [
    '../_base_/pipelines/sance.py', '../_base_/pipelines/segmentation.py'
]
title = 'SANCE with ResNet-101 on PASCAL VOC 2012'
data_root = 'data/VOCdevkit/VOC2012'
localizer = '{{ fileDirname }}/../cam/cam_r101_voc.py'
sance = '{{ fileDirname }}/sance_r101_voc.py'
segmentor = '{{ fileDirname }}/../deeplab/deeplabv2_r101_voc.py'
conf_fg = 0.30
conf_bg = 0.05
score_list = 'ImageSets/Segmentation/train.txt'
val_list = 'ImageSets/Segmentation/val.txt'
masks = 'SegmentationClassAug'
protocol = dict(
    split='training on train_aug, labels scored on train, segmentation on val',
    labels='classes of the XML files or masks, see docs/en/voc.md',
    threshold='best mIoU on train',
    scales='0.5, 1, 1.5, 2 and flips for seeds and SANCE; 1 for segmentation',
    weights='ImageNet; see the segmentation config',
    supervision='I (image labels); masks of train only measure')
steps = [
    *_base_.sance_steps,
    *_base_.segmentation_steps,
    _base_.report_step,
]
