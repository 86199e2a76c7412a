# Your own tagged images by WeCLIP, no mask needed; docs/en/own_photos.md says how to
# lay them out:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/weclip/configs/weclip_folder_pipeline.py \
#     --cfg-options data_root=my_photos
# or, with lists of images and checks: mmwsss run my_photos --method \
#     projects/weclip/configs/weclip_folder_pipeline.py
# Words other than the names in classes.txt, a class a line: prompts=prompts.txt
# CLIP's weights from a file: weights=ViT-B-16.pt
_base_ = [
    '../../clip_es/configs/_base_/recipes/clip.py',
    '../../../configs/_base_/recipes/folder.py'
]
title = 'WeCLIP on my own photos'
localizer = '{{ fileDirname }}/weclip_vit-b16_folder.py'
weights = 'openai'
# A file in data_root with the words for each class.
prompts = 'classes.txt'
cfg_options = dict(localizer=dict(_delete_=True, **_base_.weak_lists))
protocol = dict(
    threshold='none: masks have a background of their own',
    scales='long side 512; 1, 0.75 and flips',
    weights='CLIP (OpenAI, ViT-B/16), frozen',
    supervision='I (image labels), and the words and photos that CLIP learnt from')
steps = [
    dict(
        _base_.clip_step,
        command=[*_base_.clip_step['command'], 'words.names={prompts}'],
        inputs=['{localizer}', '{data_root}/classes.txt', '{data_root}/{prompts}']),
    dict(
        name='train_segmentor', type='train', config='{localizer}',
        cfg_options={'load_from': '{clip}/clip.pth'}),
    # Of images with tags, cleaned by these.
    dict(
        name='pseudo_labels', type='seeds', config='{localizer}',
        checkpoint='{train_segmentor}/last_checkpoint',
        refiner='config'),
    dict(
        name='check_labels', type='check', config='{localizer}',
        labels='{pseudo_labels}'),
    # As any image is labelled: without its tags.
    dict(
        name='test', type='test', config='{localizer}', when='{test_list}',
        checkpoint='{train_segmentor}/last_checkpoint',
        cfg_options={'test_dataloader.dataset.label_file': ''},
        tta=True,
        show=['mask/mIoU']),
    # All images, with what their tags rule out.
    dict(
        name='predict', type='test', config='{localizer}',
        checkpoint='{train_segmentor}/last_checkpoint',
        cfg_options={'test_dataloader.dataset.ann_file': ''},
        tta=True,
        masks=True,
        show=[]),
    dict(
        _base_.report_step,
        headline=[_base_.test_score],
        sections=[_base_.section],
        curves=[dict(title='Training', train='{train_segmentor}')])
]
