# From tags to the mIoU on COCO 2014 val:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/mctformer/configs/mctformer_v2_deit-s_coco_pipeline.py --gpus 4
_base_ = '../../../configs/psa/psa_wide-r38_coco_pipeline.py'
title = 'MCTformer-V2 with DeiT-S on COCO 2014'
localizer = '{{ fileDirname }}/mctformer_v2_deit-s_coco.py'
affinity = '{{ fileDirname }}/psa_wide-r38_coco.py'
segmentor = '{{ fileDirname }}/deeplabv1_wide-r38_coco.py'
protocol = dict(
    scales='1 and flip for seeds; 1 for segmentation',
    weights='ImageNet for DeiT; tags of VOC for the segmentation')
