# Your own tagged photos, no mask needed; docs/en/own_photos.md says how to lay
# them out:
# python tools/pipeline.py configs/esol/esol_folder_pipeline.py \
#     --cfg-options data_root=my_photos
# Without masks nothing tells which threshold is best: raise it where pseudo
# labels are too large in report.html, lower it where objects are missed.
_base_ = '../_base_/pipelines/folder.py'
title = 'ESOL on my own photos'
data_root = 'data/own'
localizer = '{{ fileDirname }}/esol_folder.py'
segmentor = '{{ fileDirname }}/../deeplab/deeplabv2_folder.py'
threshold = 0.15
protocol = dict(
    threshold='chosen by eye',
    scales='0.5, 1, 1.5, 2 and flips for seeds; 1 for segmentation',
    weights='ImageNet for the classifier; see the segmentation config',
    supervision='I (image labels)')
steps = [
    dict(
        name='train_localizer',
        type='train',
        config='{localizer}'),
    dict(
        name='seeds',
        type='seeds',
        config='{localizer}',
        checkpoint='{train_localizer}/stage_shrink.pth'),
    dict(
        name='pseudo_labels',
        type='refine',
        config='{localizer}',
        seeds='{seeds}',
        refiner='irn_label',
        threshold='{threshold}'),
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
                    dict(
                        title='Seed',
                        seeds='{seeds}',
                        threshold='{threshold}'),
                    dict(title='Pseudo label', masks='{pseudo_labels}'),
                    dict(title='Prediction', masks='{predict}/masks'),
                ])
        ],
        curves=[
            dict(title='Training of ESOL', train='{train_localizer}'),
            dict(title='Training on pseudo labels', train='{train_segmentor}'),
        ])
]
