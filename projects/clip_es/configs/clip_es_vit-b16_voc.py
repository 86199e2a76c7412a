# CLIP-ES on PASCAL VOC 2012. Nothing is trained. Supervision: I, and the texts and
# images that CLIP was trained on.
# PYTHONPATH=. python projects/clip_es/convert.py \
#     projects/clip_es/configs/clip_es_vit-b16_voc.py clip_voc.pth
# PYTHONPATH=. python tools/generate_seeds.py \
#     projects/clip_es/configs/clip_es_vit-b16_voc.py clip_voc.pth --out seeds
_base_ = [
    './_base_/clip_es_vit-b16.py', '../../../configs/_base_/datasets/voc_weak.py',
    '../../../configs/_base_/default_runtime.py'
]

custom_imports = dict(imports=['mmwsss', 'projects.clip_es'])
test_pipeline = _base_.patch_pipeline
tta_pipeline = _base_.patch_tta_pipeline
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
seed_dataloader = dict(_base_.patch_batches, dataset=dict(pipeline=tta_pipeline))
val_evaluator = _base_.patch_evaluator
test_evaluator = val_evaluator
