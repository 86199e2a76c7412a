# WeCLIP on generated scenes with a tiny CLIP of random weights: it shows that all
# works, and its labels make no sense.
# PYTHONPATH=. python projects/clip_es/convert.py \
#     projects/weclip/configs/weclip_demo.py clip_demo.pth --weights random
# PYTHONPATH=. python tools/train.py projects/weclip/configs/weclip_demo.py \
#     --cfg-options load_from=clip_demo.pth
_base_ = [
    './_base_/weclip_vit-b16.py', './_base_/weclip_30k.py',
    '../../../configs/_base_/datasets/demo_single_stage.py',
    '../../../configs/_base_/default_runtime.py'
]

custom_imports = dict(imports=['mmwsss', 'projects.weclip'])
arch = dict(
    embed_dim=32,
    quick_gelu=True,
    vision_cfg=dict(image_size=64, patch_size=16, width=64, head_width=16, layers=4),
    text_cfg=dict(context_length=77, vocab_size=49408, width=32, heads=2, layers=2))
model = dict(
    backbone=dict(arch=arch, out_indices=(0, 1, 2), attention_layers=3),
    decode_head=dict(
        arch=arch,
        num_classes=7,
        decoder=dict(channels=32),
        full_boxes=True,
        static_blocks=4,
        chosen_blocks=3,
        choose_from=30))
words = dict(names='classes')
load, _, *rest = _base_.crop_pipeline[1:]
train_pipeline = [
    _base_.crop_pipeline[0], load,
    dict(type='PILRandomScale', min_scale=0.8, max_scale=1.25), rest[0],
    dict(rest[1], crop_size=(96, 96)), rest[2]
]
tta_pipeline = _base_.whole_pipeline
tta_model = dict(long_side=96)
train_dataloader = dict(batch_size=4, dataset=dict(pipeline=train_pipeline))
seed_dataloader = dict(dataset=dict(pipeline=tta_pipeline))
test_evaluator = _base_.crf_evaluator
train_cfg = dict(max_iters=100, val_interval=100)
param_scheduler = dict(total=100, warmup=10, end=101)
