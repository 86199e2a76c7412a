# From tags to the mIoU on PASCAL VOC 2012 val:
# python tools/pipeline.py \
#     configs/single_stage/single_stage_wide-r38_voc_pipeline.py --gpus 4
# Elsewhere than in data/: --cfg-options data_root=/data/VOCdevkit/VOC2012
_base_ = ['../_base_/recipes/single_stage.py', '../_base_/recipes/voc.py']
title = 'Single-stage segmentation with WideResNet-38 on PASCAL VOC 2012'
localizer = '{{ fileDirname }}/single_stage_wide-r38_voc.py'
protocol = dict(
    threshold='none: masks have a background of their own')
