# From tags to the mIoU on PASCAL VOC 2012 val, with and without CRF:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/weclip/configs/weclip_vit-b16_voc_pipeline.py
# CLIP's weights from a file: --cfg-options weights=ViT-B-16.pt
_base_ = ['./_base_/recipes/weclip.py', '../../../configs/_base_/recipes/voc.py']
title = 'WeCLIP with ViT-B/16 on PASCAL VOC 2012'
localizer = '{{ fileDirname }}/weclip_vit-b16_voc.py'
protocol = dict(
    split='training on train_aug, labels scored on train, segmentation on val',
    threshold='none: masks have a background of their own',
    scales='long side 512; 1, 0.75 and flips',
    weights='CLIP (OpenAI, ViT-B/16), frozen',
    supervision='I (image labels), and the words and photos that CLIP learnt from')
