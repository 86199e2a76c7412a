# CLIP-ES on COCO 2014: other words, and boxes around the upper 30 % of a map.
# PYTHONPATH=. python projects/clip_es/convert.py \
#     projects/clip_es/configs/clip_es_vit-b16_coco.py clip_coco.pth
_base_ = [
    './_base_/clip_es_vit-b16.py', '../../../configs/_base_/datasets/coco_weak.py',
    '../../../configs/_base_/default_runtime.py'
]

custom_imports = dict(imports=['mmwsss', 'projects.clip_es'])
model = dict(decode_head=dict(num_classes=81, threshold=0.7))
words = dict(names='coco', background='coco')
test_pipeline = _base_.patch_pipeline
tta_pipeline = _base_.patch_tta_pipeline
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
seed_dataloader = dict(_base_.patch_batches, dataset=dict(pipeline=tta_pipeline))
val_evaluator = _base_.patch_evaluator
test_evaluator = val_evaluator
