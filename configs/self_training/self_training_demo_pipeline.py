# Self-training from tags on generated scenes:
# python tools/pipeline.py configs/self_training/self_training_demo_pipeline.py
_base_ = ['../_base_/recipes/self_training.py', '../_base_/recipes/demo.py']
title = 'Self-training from tags on generated scenes'
localizer = '{{ fileDirname }}/localizer_demo.py'
segmentor = '{{ fileDirname }}/self_training_deeplabv2_demo.py'
steps = [_base_.data_step, *_base_.steps]
