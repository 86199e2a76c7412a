# From tags to the mIoU on COCO 2014 val; seeds are scored on the first 5,000 images.
# PYTHONPATH=. python tools/pipeline.py \
#     projects/clip_es/configs/clip_es_vit-b16_coco_pipeline.py --gpus 4
# CLIP's weights from a file: --cfg-options weights=ViT-B-16.pt
_base_ = './_base_/recipes/clip_es.py'
title = 'CLIP-ES with ViT-B/16 on COCO 2014'
localizer = '{{ fileDirname }}/clip_es_vit-b16_coco.py'
segmentor = '{{ fileDirname }}/../../../configs/deeplab/deeplabv2_r101_coco.py'
data_root = 'data/coco'
score_list = 'lists/train2014_labeled.txt'
masks = 'masks/train2014'
sample = 5000
protocol = dict(
    split='seeds scored on the first 5000 images of train2014 with tags, '
    'segmentation on val2014',
    labels='classes of the instance annotations, see docs/en/coco.md',
    threshold='1 - max or (1 - max) ** 2, the better one on those images',
    scales='1 without flip for seeds; 1 for segmentation',
    weights='CLIP (OpenAI, ViT-B/16), frozen; see the segmentation config',
    supervision='I (image labels), and the words and photos that CLIP learnt from')
sampled = {'seed_dataloader.dataset.indices': '{sample}'}
scored = {'val_dataloader.dataset.indices': '{sample}'}
options = dict(
    seeds=sampled,
    score_seeds=scored,
    crf_labels=sampled,
    score_crf_labels=scored,
    score_pseudo_labels={'val_dataloader.dataset.indices': None},
    # Predictions on images of train are for the report only.
    predict_train={
        'test_dataloader.dataset.ann_file': '{score_list}',
        'test_dataloader.dataset.indices': sample,
        'test_dataloader.dataset.data_prefix.img_path': 'train2014',
        'test_dataloader.dataset.data_prefix.seg_map_path': masks
    })
steps = [
    *(dict(step, cfg_options={
        **step.get('cfg_options', {}), **options.get(step['name'], {})
    }) if 'config' in step else step for step in _base_.steps[:-1]),
    dict(
        _base_.report_step,
        cfg_options=scored,
        sections=[dict(_base_.report_step['sections'][0], num_images=10)]),
]
