# From tags to a segmentation model of six animals of PASCAL VOC, on a CPU:
# python tools/pipeline.py \
#     configs/single_stage/single_stage_mobilenetv1_animals_pipeline.py
_base_ = ['../_base_/recipes/single_stage.py', '../_base_/recipes/animals.py']
title = 'Single-stage segmentation with MobileNetV1 on six animals of VOC 2012'
cam = '{{ fileDirname }}/../cam/cam_mobilenetv1_animals.py'
localizer = '{{ fileDirname }}/single_stage_mobilenetv1_animals.py'
protocol = dict(
    threshold='none: masks have a background of their own',
    weights='ImageNet; those of a CAM network trained on the same labels')
steps = [
    dict(name='train_cam', type='train', config='{cam}', show=['seed/mIoU']),
    # The decoder learns on the features of a CAM network.
    dict(_base_.steps[0], cfg_options=dict(load_from='{train_cam}/last_checkpoint')),
    *_base_.steps[1:]
]
