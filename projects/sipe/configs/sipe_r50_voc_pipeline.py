# From tags to the mIoU on PASCAL VOC 2012 val:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/sipe/configs/sipe_r50_voc_pipeline.py --gpus 4
_base_ = ['./_base_/recipes/sipe.py', '../../../configs/_base_/recipes/voc.py']
title = 'SIPE with ResNet-50 on PASCAL VOC 2012'
localizer = '{{ fileDirname }}/sipe_r50_voc.py'
irn = '{{ fileDirname }}/../../../configs/irn/irn_r50_voc.py'
protocol = dict(
    threshold='none: seeds have a background of their own',
    scales='0.5, 1, 1.5, 2 and flips for seeds; 1 and flip for boundaries; 1 for '
    'segmentation',
    weights='ImageNet; see the segmentation config')
