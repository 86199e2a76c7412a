# From tags to a segmentation model of six animals of PASCAL VOC, on a CPU:
# python tools/pipeline.py \
#     configs/single_stage/single_stage_mobilenetv1_animals_pipeline.py
_base_ = [
    '../_base_/pipelines/single_stage.py', '../_base_/pipelines/segmentation.py'
]
title = 'Single-stage segmentation with MobileNetV1 on six animals of VOC 2012'
data_root = 'data/voc_animals'
cam = '{{ fileDirname }}/../cam/cam_mobilenetv1_animals.py'
localizer = '{{ fileDirname }}/single_stage_mobilenetv1_animals.py'
segmentor = '{{ fileDirname }}/../deeplab/deeplabv2_mobilenetv1_animals.py'
score_list = 'ImageSets/Segmentation/train.txt'
val_list = 'ImageSets/Segmentation/val.txt'
masks = 'SegmentationClass'
protocol = dict(
    split='seeds and pseudo labels on train, segmentation on val',
    labels='tags of the subset, from the masks of PASCAL VOC 2012',
    threshold='none: masks have a background of their own',
    scales='0.5, 1, 1.5 and flips for seeds; 1 for segmentation',
    weights='ImageNet; those of a CAM network trained on the same labels',
    supervision='I (image labels); masks of train only measure')
# The decoder learns on the features of a CAM network.
_base_.localization_steps[0]['cfg_options'] = dict(
    load_from='{train_cam}/last_checkpoint')
steps = [
    dict(name='train_cam', type='train', config='{cam}', show=['seed/mIoU']),
    *_base_.localization_steps,
    *_base_.segmentation_steps,
    _base_.report_step,
]
