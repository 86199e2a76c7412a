# From tags to the mIoU on PASCAL VOC 2012 val, with and without CRF:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/weclip/configs/fsae_weclip_vit-b16_voc_pipeline.py
_base_ = './weclip_vit-b16_voc_pipeline.py'
title = 'FSAE on WeCLIP with ViT-B/16 on PASCAL VOC 2012'
localizer = '{{ fileDirname }}/fsae_weclip_vit-b16_voc.py'
