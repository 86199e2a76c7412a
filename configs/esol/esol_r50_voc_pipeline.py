# From tags to the mIoU on PASCAL VOC 2012 val:
# python tools/pipeline.py configs/esol/esol_r50_voc_pipeline.py --gpus 4
# Elsewhere than in data/: --cfg-options data_root=/data/VOCdevkit/VOC2012
_base_ = ['../_base_/recipes/esol.py', '../_base_/recipes/voc.py']
title = 'ESOL with ResNet-50 on PASCAL VOC 2012'
localizer = '{{ fileDirname }}/esol_r50_voc.py'
