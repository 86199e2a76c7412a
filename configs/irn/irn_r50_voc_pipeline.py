# From tags to the mIoU on PASCAL VOC 2012 val by CAM and IRN:
# python tools/pipeline.py configs/irn/irn_r50_voc_pipeline.py --gpus 4
# Elsewhere than in data/: --cfg-options data_root=/data/VOCdevkit/VOC2012
_base_ = ['../_base_/recipes/cam_irn.py', '../_base_/recipes/voc.py']
title = 'CAM and IRN with ResNet-50 on PASCAL VOC 2012'
localizer = '{{ fileDirname }}/../cam/cam_r50_voc.py'
irn = '{{ fileDirname }}/irn_r50_voc.py'
conf_fg = 0.3
conf_bg = 0.05
protocol = dict(
    scales='0.5, 1, 1.5, 2 and flips for seeds; 1 and flip for boundaries; 1 for '
    'segmentation',
    weights='ImageNet; see the segmentation config')
