# WeCLIP on COCO 2014. The paper has a batch of 8, the published config one of 4.
# PYTHONPATH=. python projects/clip_es/convert.py \
#     projects/weclip/configs/weclip_vit-b16_coco.py clip_coco.pth
# PYTHONPATH=. python tools/train.py projects/weclip/configs/weclip_vit-b16_coco.py \
#     --cfg-options load_from=clip_coco.pth
_base_ = [
    './_base_/weclip_vit-b16.py', './_base_/weclip_30k.py',
    '../../../configs/_base_/datasets/coco_single_stage.py',
    '../../../configs/_base_/default_runtime.py'
]

custom_imports = dict(imports=['mmwsss', 'projects.weclip'])
model = dict(
    backbone=dict(attention_layers=9),
    decode_head=dict(
        num_classes=81, threshold=0.7, chosen_blocks=10, choose_from=40000))
words = dict(names='coco', background='coco')
train_pipeline = _base_.crop_pipeline
tta_pipeline = _base_.whole_pipeline
train_dataloader = dict(
    batch_size=4,
    dataset=dict(ann_file='lists/train2014_labeled.txt', pipeline=train_pipeline))
seed_dataloader = dict(dataset=dict(pipeline=tta_pipeline))
test_evaluator = _base_.crf_evaluator
train_cfg = dict(max_iters=80000, val_interval=10000)
param_scheduler = dict(total=80000, end=80001)
