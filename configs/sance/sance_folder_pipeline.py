# Your own tagged images, no mask needed; docs/en/own_photos.md says how to lay
# them out:
# python tools/pipeline.py configs/sance/sance_folder_pipeline.py \
#     --cfg-options data_root=my_photos
_base_ = '../_base_/recipes/folder.py'
title = 'SANCE on my own photos'
localizer = '{{ fileDirname }}/../cam/cam_folder.py'
sance = '{{ fileDirname }}/sance_folder.py'
bg_thr = 0.25
protocol = dict(
    threshold='chosen by eye',
    scales='0.5, 1, 1.5, 2 and flips for seeds and SANCE; 1 for segmentation')
steps = [
    dict(name='train_localizer', type='train', config='{localizer}'),
    dict(
        name='seed_labels', type='seeds', config='{localizer}',
        checkpoint='{train_localizer}/last_checkpoint',
        refiner='irn_two_threshold'),
    dict(
        name='train_sance', type='train', config='{sance}',
        cfg_options={
            'train_dataloader.dataset.data_prefix.seg_map_path': '{seed_labels}'
        }),
    dict(
        name='pseudo_labels', type='seeds', config='{sance}',
        checkpoint='{train_sance}/last_checkpoint',
        refiner='none',
        bg_thr='{bg_thr}'),
    *_base_.folder_steps,
    dict(
        _base_.report_step,
        sections=[
            dict(
                _base_.section,
                columns=[
                    dict(title='Seed label', masks='{seed_labels}'),
                    *_base_.columns])
        ],
        curves=[dict(title='Training of SANCE', train='{train_sance}'), _base_.curve])
]
