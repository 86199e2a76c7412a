# From tags to the mIoU on PASCAL VOC 2012 val by the seeds of CLIP-ES and the
# affinities of PSA, a mixture that is not published:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/clip_es/configs/clip_es_psa_vit-b16_voc_pipeline.py --gpus 4
# CLIP's weights from a file: --cfg-options weights=ViT-B-16.pt
_base_ = ['./_base_/recipes/clip_es_psa.py', '../../../configs/_base_/recipes/voc.py']
title = 'CLIP-ES with ViT-B/16 and PSA on PASCAL VOC 2012'
localizer = '{{ fileDirname }}/clip_es_vit-b16_voc.py'
affinity = '{{ fileDirname }}/../../../configs/psa/psa_wide-r38_voc.py'
protocol = dict(
    threshold='1 - max or (1 - max) ** 2 of seeds on train, published powers for the '
    'walk',
    scales='1 without flip for seeds; 1 for affinities and segmentation',
    weights='CLIP (OpenAI, ViT-B/16), frozen; see the segmentation config',
    supervision='I (image labels), and the words and photos that CLIP learnt from')
