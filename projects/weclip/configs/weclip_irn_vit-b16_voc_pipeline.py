# As weclip_vit-b16_voc_pipeline.py, and a DeepLab v2 on what IRN makes of WeCLIP's
# masks of train, a mixture that is not published:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/weclip/configs/weclip_irn_vit-b16_voc_pipeline.py --gpus 4
_base_ = ['./_base_/recipes/weclip_irn.py', '../../../configs/_base_/recipes/voc.py']
title = 'WeCLIP with ViT-B/16 and IRN on PASCAL VOC 2012'
localizer = '{{ fileDirname }}/weclip_vit-b16_voc.py'
irn = '{{ fileDirname }}/../../../configs/irn/irn_r50_voc.py'
protocol = dict(
    split='training on train_aug, labels scored on train, segmentation on val',
    threshold='none: seeds have a background of their own',
    scales='long side 512; 1, 0.75 and flips; 1 and flip for boundaries; 1 for DeepLab',
    weights='CLIP (OpenAI, ViT-B/16), frozen; see the segmentation config',
    supervision='I (image labels), and the words and photos that CLIP learnt from')
