# CLIP-ES on generated scenes with a tiny CLIP of random weights: it shows that all
# works, and knows nothing.
# PYTHONPATH=. python projects/clip_es/convert.py \
#     projects/clip_es/configs/clip_es_demo.py clip_demo.pth --weights random
_base_ = [
    './_base_/clip_es_vit-b16.py', '../../../configs/_base_/datasets/demo_weak.py',
    '../../../configs/_base_/default_runtime.py'
]

custom_imports = dict(imports=['mmwsss', 'projects.clip_es'])
arch = dict(
    embed_dim=32,
    quick_gelu=True,
    vision_cfg=dict(image_size=64, patch_size=16, width=64, head_width=16, layers=4),
    text_cfg=dict(context_length=77, vocab_size=49408, width=32, heads=2, layers=2))
model = dict(
    backbone=dict(arch=arch, attention_layers=2),
    decode_head=dict(arch=arch, num_classes=7, full_boxes=True))
words = dict(names='classes')
# Of a CLIP that knows nothing, no label is sure.
label_rule = dict(min_confidence=0.)
test_pipeline = _base_.patch_pipeline
tta_pipeline = _base_.patch_tta_pipeline
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
seed_dataloader = dict(_base_.patch_batches, dataset=dict(pipeline=tta_pipeline))
val_evaluator = dict(
    _base_.patch_evaluator, protocol=dict(weights='none: a random CLIP'))
test_evaluator = val_evaluator
