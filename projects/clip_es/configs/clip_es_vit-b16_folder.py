# CLIP-ES on your own photos, for which tags suffice; docs/en/own_photos.md says how to
# lay them out. A class is asked for by its name in classes.txt, or by the words in a
# file beside it, a class a line: --cfg-options words.names=prompts.txt
# PYTHONPATH=. python projects/clip_es/convert.py \
#     projects/clip_es/configs/clip_es_vit-b16_folder.py clip.pth \
#     --cfg-options data_root=my_photos
_base_ = [
    './_base_/clip_es_vit-b16.py', '../../../configs/_base_/datasets/folder_weak.py',
    '../../../configs/_base_/default_runtime.py'
]

custom_imports = dict(imports=['mmwsss', 'projects.clip_es'])
# Small images have a single row of patches.
model = dict(decode_head=dict(full_boxes=True))
words = dict(names='classes')
# Images may be of any size; time and memory grow with the square of their pixels.
max_long = 640
resize = dict(type='ResizeToPatches', max_long=max_long)
load, _, *rest = _base_.patch_pipeline
test_pipeline = [load, resize, *rest]
tta_pipeline = [
    load,
    dict(type='TestTimeAug', transforms=[[step] for step in (resize, *rest)])
]
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
seed_dataloader = dict(
    _base_.patch_batches,
    sampler=dict(_base_.patch_batches['sampler'], max_long=max_long),
    dataset=dict(pipeline=tta_pipeline))
val_evaluator = _base_.patch_evaluator
test_evaluator = val_evaluator
