# From tags to a segmentation model by SANCE:
# python tools/pipeline.py configs/sance/sance_mobilenetv1_animals_pipeline.py
_base_ = [
    '../_base_/pipelines/sance.py', '../_base_/pipelines/segmentation.py'
]
title = 'SANCE with MobileNetV1 on six animals of PASCAL VOC 2012'
data_root = 'data/voc_animals'
localizer = '{{ fileDirname }}/../cam/cam_mobilenetv1_animals.py'
sance = '{{ fileDirname }}/sance_mobilenetv1_animals.py'
segmentor = '{{ fileDirname }}/../deeplab/deeplabv2_mobilenetv1_animals.py'
# The maps of a small classifier are wide.
conf_fg = 0.40
conf_bg = 0.15
score_list = 'ImageSets/Segmentation/train.txt'
val_list = 'ImageSets/Segmentation/val.txt'
masks = 'SegmentationClass'
protocol = dict(
    split='labels on train, segmentation on val',
    labels='tags of the subset, from the masks of PASCAL VOC 2012',
    threshold='best mIoU on train',
    scales='0.5, 1, 1.5 and flips for seeds and SANCE; 1 for segmentation',
    weights='ImageNet',
    supervision='I (image labels); masks of train only measure')
steps = [
    *_base_.sance_steps,
    *_base_.segmentation_steps,
    _base_.report_step,
]
