# WeCLIP on PASCAL VOC 2012, tested with and without CRF. Supervision: I, and the texts
# and images that CLIP was trained on.
# PYTHONPATH=. python projects/clip_es/convert.py \
#     projects/weclip/configs/weclip_vit-b16_voc.py clip_voc.pth
# PYTHONPATH=. python tools/train.py projects/weclip/configs/weclip_vit-b16_voc.py \
#     --cfg-options load_from=clip_voc.pth
# PYTHONPATH=. python tools/test.py projects/weclip/configs/weclip_vit-b16_voc.py \
#     work_dirs/weclip_vit-b16_voc/iter_30000.pth --tta
_base_ = [
    './_base_/weclip_vit-b16.py', './_base_/weclip_30k.py',
    '../../../configs/_base_/datasets/voc_single_stage.py',
    '../../../configs/_base_/default_runtime.py'
]

custom_imports = dict(imports=['mmwsss', 'projects.weclip'])
train_pipeline = _base_.crop_pipeline
tta_pipeline = _base_.whole_pipeline
train_dataloader = dict(batch_size=4, dataset=dict(pipeline=train_pipeline))
seed_dataloader = dict(dataset=dict(pipeline=tta_pipeline))
test_evaluator = _base_.crf_evaluator
