# From tags to the mIoU on COCO 2014 val:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/mctformer/configs/mctformer_plus_deit-s_coco_pipeline.py --gpus 4
_base_ = './mctformer_v2_deit-s_coco_pipeline.py'
title = 'MCTformer+ with DeiT-S on COCO 2014'
localizer = '{{ fileDirname }}/mctformer_plus_deit-s_coco.py'
protocol = dict(scales='0.75, 1, 1.25 and flips for seeds; 1 for segmentation')
