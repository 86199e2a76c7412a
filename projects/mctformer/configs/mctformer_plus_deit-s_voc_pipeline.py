# From tags to the mIoU on PASCAL VOC 2012 val:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/mctformer/configs/mctformer_plus_deit-s_voc_pipeline.py --gpus 4
_base_ = './mctformer_v2_deit-s_voc_pipeline.py'
title = 'MCTformer+ with DeiT-S on PASCAL VOC 2012'
localizer = '{{ fileDirname }}/mctformer_plus_deit-s_voc.py'
protocol = dict(scales='0.75, 1, 1.25 and flips for seeds; 1 for segmentation')
