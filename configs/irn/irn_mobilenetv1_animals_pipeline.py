# From tags to a segmentation model of six animals of PASCAL VOC by CAM and IRN, on
# a CPU:
# python tools/pipeline.py configs/irn/irn_mobilenetv1_animals_pipeline.py
_base_ = [
    '../_base_/pipelines/cam.py', '../_base_/pipelines/irn.py',
    '../_base_/pipelines/segmentation.py'
]
title = 'CAM and IRN with MobileNetV1 on six animals of PASCAL VOC 2012'
data_root = 'data/voc_animals'
localizer = '{{ fileDirname }}/../cam/cam_mobilenetv1_animals.py'
irn = '{{ fileDirname }}/irn_mobilenetv1_animals.py'
segmentor = '{{ fileDirname }}/../deeplab/deeplabv2_mobilenetv1_animals.py'
# As far from the seeds' best threshold, 0.25, as IRN's are from its own.
conf_fg = 0.4
conf_bg = 0.15
score_list = 'ImageSets/Segmentation/train.txt'
val_list = 'ImageSets/Segmentation/val.txt'
masks = 'SegmentationClass'
protocol = dict(
    split='seeds and pseudo labels on train, segmentation on val',
    labels='tags of the subset, from the masks of PASCAL VOC 2012',
    threshold='best mIoU on train',
    scales='0.5, 1, 1.5 and flips for seeds; 1 and flip for boundaries; 1 for '
    'segmentation',
    weights='ImageNet',
    supervision='I (image labels); masks of train only measure')
steps = [
    # Without the pseudo labels of CAM.
    *_base_.localization_steps[:-2],
    *_base_.irn_steps,
    *_base_.segmentation_steps,
    _base_.irn_report_step,
]
