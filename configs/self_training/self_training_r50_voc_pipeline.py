# Self-training from tags on PASCAL VOC 2012:
# python tools/pipeline.py configs/self_training/self_training_r50_voc_pipeline.py
_base_ = ['../_base_/recipes/self_training.py', '../_base_/recipes/voc.py']
title = 'Self-training from tags on PASCAL VOC 2012'
localizer = '{{ fileDirname }}/localizer_r50_voc.py'
segmentor = '{{ fileDirname }}/self_training_deeplabv2_r101_voc.py'
