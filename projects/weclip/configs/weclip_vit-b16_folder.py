# WeCLIP on your own photos, for which tags suffice; docs/en/own_photos.md says how to
# lay them out. A class is asked for by its name in classes.txt, or by the words in a
# file beside it, a class a line: --cfg-options words.names=prompts.txt
# PYTHONPATH=. python projects/clip_es/convert.py \
#     projects/weclip/configs/weclip_vit-b16_folder.py clip.pth \
#     --cfg-options data_root=my_photos
# PYTHONPATH=. python tools/train.py projects/weclip/configs/weclip_vit-b16_folder.py \
#     --cfg-options data_root=my_photos load_from=clip.pth
_base_ = [
    './_base_/weclip_vit-b16.py', './_base_/weclip_30k.py',
    '../../../configs/_base_/datasets/folder_single_stage.py',
    '../../../configs/_base_/default_runtime.py'
]

custom_imports = dict(imports=['mmwsss', 'projects.weclip'])
# As much of the training as on VOC.
model = dict(decode_head=dict(choose_from=1524))
words = dict(names='classes')
train_pipeline = _base_.crop_pipeline
tta_pipeline = _base_.whole_pipeline
train_dataloader = dict(batch_size=4, dataset=dict(pipeline=train_pipeline))
seed_dataloader = dict(dataset=dict(pipeline=tta_pipeline))
train_cfg = dict(max_iters=5000, val_interval=5000)
param_scheduler = dict(total=5000, end=5001)
