# From tags to a segmentation model of six animals of PASCAL VOC, on a CPU:
# python tools/pipeline.py configs/psa/psa_mobilenetv1_animals_pipeline.py
_base_ = [
    '../_base_/pipelines/cam.py', '../_base_/pipelines/affinity.py',
    '../_base_/pipelines/segmentation.py'
]
title = 'PSA with MobileNetV1 on six animals of PASCAL VOC 2012'
data_root = 'data/voc_animals'
localizer = '{{ fileDirname }}/../cam/cam_mobilenetv1_animals.py'
affinity = '{{ fileDirname }}/psa_mobilenetv1_animals.py'
segmentor = '{{ fileDirname }}/../deeplab/deeplabv2_mobilenetv1_animals.py'
score_list = 'ImageSets/Segmentation/train.txt'
val_list = 'ImageSets/Segmentation/val.txt'
masks = 'SegmentationClass'
protocol = dict(
    split='seeds and pseudo labels on train, segmentation on val',
    labels='tags of the subset, from the masks of PASCAL VOC 2012',
    threshold='best mIoU on train for seeds, and for the walk of them',
    scales='0.5, 1, 1.5 and flips for seeds; 1 for segmentation',
    weights='ImageNet',
    supervision='I (image labels); masks of train only measure')
# The published power suits other seeds.
for step in _base_.affinity_steps:
    if step['type'] == 'walk':
        step['cfg_options'] = {
            'walk.alpha': None,
            'walk.threshold': '{score_seeds:seed/threshold}'
        }
del step
steps = [
    *_base_.localization_steps[:3],
    *_base_.affinity_steps,
    *_base_.segmentation_steps,
    _base_.report_step,
]
