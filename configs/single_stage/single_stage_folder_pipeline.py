# Your own tagged photos, no mask needed; docs/en/own_photos.md says how to lay
# them out:
# python tools/pipeline.py configs/single_stage/single_stage_folder_pipeline.py \
#     --cfg-options data_root=my_photos
_base_ = '../_base_/pipelines/folder.py'
title = 'Single-stage segmentation of my own photos'
data_root = 'data/own'
localizer = '{{ fileDirname }}/single_stage_folder.py'
segmentor = '{{ fileDirname }}/../deeplab/deeplabv2_folder.py'
protocol = dict(
    threshold='none: masks have a background of their own',
    scales='0.5, 1, 1.5, 2 and flips for pseudo labels; 1 for segmentation',
    weights='ImageNet; see the segmentation config',
    supervision='I (image labels)')
steps = [
    dict(
        name='train_localizer',
        type='train',
        config='{localizer}'),
    dict(
        name='pseudo_labels',
        type='seeds',
        config='{localizer}',
        checkpoint='{train_localizer}/last_checkpoint',
        refiner='config'),
    *_base_.folder_steps,
    dict(
        name='report',
        type='report',
        config='{localizer}',
        sections=[
            dict(
                title='My photos',
                num_images=16,
                rank_by='Pseudo label',
                columns=[
                    dict(title='Pseudo label', masks='{pseudo_labels}'),
                    dict(title='Prediction', masks='{predict}/masks'),
                ])
        ],
        curves=[
            dict(title='Training of the network', train='{train_localizer}'),
            dict(title='Training on pseudo labels', train='{train_segmentor}'),
        ])
]
