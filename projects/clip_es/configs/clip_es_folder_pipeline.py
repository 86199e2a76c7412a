# Your own tagged images by CLIP-ES, no mask needed, and nothing is trained before the
# segmentation model; docs/en/own_photos.md says how to lay them out:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/clip_es/configs/clip_es_folder_pipeline.py \
#     --cfg-options data_root=my_photos
# Words other than the names in classes.txt, a class a line: prompts=prompts.txt
# CLIP's weights from a file: weights=ViT-B-16.pt
_base_ = ['./_base_/recipes/clip.py', '../../../configs/_base_/recipes/folder.py']
title = 'CLIP-ES on my own photos'
localizer = '{{ fileDirname }}/clip_es_vit-b16_folder.py'
weights = 'openai'
# A file in data_root with the words for each class.
prompts = 'classes.txt'
cfg_options = dict(localizer=dict(_delete_=True, **_base_.weak_lists))
protocol = dict(
    threshold='none: background is 1 - max',
    scales='1 without flip for seeds; 1 for segmentation',
    weights='CLIP (OpenAI, ViT-B/16), frozen; see the segmentation config',
    supervision='I (image labels), and the words and photos that CLIP learnt from')
steps = [
    dict(
        _base_.clip_step,
        command=[*_base_.clip_step['command'], 'words.names={prompts}'],
        inputs=['{localizer}', '{data_root}/classes.txt', '{data_root}/{prompts}']),
    dict(_base_.seeds, checkpoint='{clip}/clip.pth'),
    dict(
        name='pseudo_labels', type='refine', config='{localizer}',
        seeds='{seeds}',
        refiner='config'),
    dict(
        name='check_labels', type='check', config='{localizer}',
        labels='{pseudo_labels}'),
    *_base_.folder_steps,
    dict(
        _base_.report_step,
        sections=[
            dict(
                _base_.section,
                columns=[
                    dict(title='Seed', seeds='{seeds}', bg_thr=0.5), *_base_.columns
                ])
        ],
        curves=[_base_.curve])
]
