# Self-training from tags on six animals of PASCAL VOC 2012, on a CPU:
# python tools/pipeline.py \
#     configs/self_training/self_training_mobilenetv1_animals_pipeline.py
_base_ = ['../_base_/recipes/self_training.py', '../_base_/recipes/animals.py']
title = 'Self-training from tags with MobileNetV1 on six animals of PASCAL VOC 2012'
localizer = '{{ fileDirname }}/localizer_mobilenetv1_animals.py'
segmentor = '{{ fileDirname }}/self_training_deeplabv2_mobilenetv1_animals.py'
