# As weclip_vit-b16_voc_pipeline.py, and a DeepLab v2 on the labels that WeCLIP makes of
# train_aug, beside the same one on all masks:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/weclip/configs/weclip_vit-b16_voc_deeplab_pipeline.py --gpus 4
_base_ = './weclip_vit-b16_voc_pipeline.py'
title = 'WeCLIP with ViT-B/16 on PASCAL VOC 2012, then DeepLab v2'
steps = [*_base_.weclip_steps, *_base_.segmentation_steps, _base_.report_step]
