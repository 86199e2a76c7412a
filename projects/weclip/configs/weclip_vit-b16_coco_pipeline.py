# From tags to the mIoU on COCO 2014 val, with and without CRF:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/weclip/configs/weclip_vit-b16_coco_pipeline.py
# CLIP's weights from a file: --cfg-options weights=ViT-B-16.pt
_base_ = './_base_/recipes/weclip.py'
title = 'WeCLIP with ViT-B/16 on COCO 2014'
localizer = '{{ fileDirname }}/weclip_vit-b16_coco.py'
data_root = 'data/coco'
protocol = dict(
    split='training on images of train2014 with tags, segmentation on val2014',
    labels='classes of the instance annotations, see docs/en/coco.md',
    threshold='none: masks have a background of their own',
    scales='long side 512; 1, 0.75 and flips',
    weights='CLIP (OpenAI, ViT-B/16), frozen',
    supervision='I (image labels), and the words and photos that CLIP learnt from')
steps = [
    # Without labels of train.
    *_base_.weclip_steps[:3],
    dict(
        _base_.weclip_report_step,
        cfg_options={},
        headline=_base_.weclip_report_step['headline'][:1],
        sections=_base_.weclip_report_step['sections'][1:]),
]
