# Own images: a segmentation model trained on the pseudo labels of an earlier step,
# its masks of these images, and a report; nothing is scored where masks lack.
# The recipe gives: localizer (config), and steps that make pseudo labels.
data_root = 'data/own'
segmentor = '{{ fileDirname }}/../../deeplab/deeplabv2_folder.py'
protocol = dict(
    threshold='chosen by eye',
    scales='0.5, 1, 1.5, 2 and flips for seeds; 1 for segmentation',
    weights='ImageNet; see the segmentation config',
    supervision='I (image labels)')
folder_steps = [
    dict(
        name='train_segmentor', type='train', config='{segmentor}',
        cfg_options={
            'train_dataloader.dataset.data_prefix.seg_map_path': '{pseudo_labels}'
        }),
    dict(
        name='predict', type='test', config='{segmentor}',
        checkpoint='{train_segmentor}/last_checkpoint',
        cfg_options={
            'test_evaluator': [dict(type='MaskMetric', on_missing_mask='skip')]
        },
        masks=True),
]
seed_column = dict(title='Seed', seeds='{seeds}', bg_thr='{bg_thr}')
columns = [
    dict(title='Pseudo label', masks='{pseudo_labels}'),
    dict(title='Prediction', masks='{predict}/masks'),
]
section = dict(
    title='My photos', num_images=16, rank_by='Pseudo label', columns=columns)
curve = dict(title='Training on pseudo labels', train='{train_segmentor}')
report_step = dict(name='report', type='report', config='{localizer}')
