# Your own tagged images by SANCE, no mask needed; docs/en/own_photos.md says how to
# lay them out. mmwsss run my_photos --method sance calls this:
# python tools/pipeline.py configs/sance/sance_folder_pipeline.py \
#     --cfg-options data_root=my_photos
_base_ = '../_base_/recipes/folder.py'
title = 'SANCE on my own photos'
localizer = '{{ fileDirname }}/../cam/cam_folder.py'
sance = '{{ fileDirname }}/sance_folder.py'
protocol = dict(
    scales='0.5, 1, 1.5, 2 and flips for seeds and SANCE; 1 for segmentation')
cfg_options = dict(sance={**_base_.weak_lists, **_base_.resnet_weights})
steps = [
    _base_.train_localizer,
    _base_.seeds,
    dict(
        _base_.choose, name='choose_seeds', stages=dict(CAM='{seeds}'),
        refiners=['none']),
    dict(
        name='seed_labels', type='refine', config='{localizer}',
        seeds='{seeds}',
        refiner='irn_two_threshold',
        conf_fg='{choose_seeds:chosen/conf_fg}',
        conf_bg='{choose_seeds:chosen/conf_bg}'),
    dict(
        _base_.check_labels, name='check_seeds', labels='{seed_labels}',
        seeds=None, bg_thr=None, of='confident labels'),
    dict(
        name='train_sance', type='train', config='{sance}',
        cfg_options={
            'train_dataloader.dataset.data_prefix.seg_map_path': '{seed_labels}'
        }),
    dict(
        _base_.seeds, name='sance_seeds', config='{sance}',
        checkpoint='{train_sance}/last_checkpoint'),
    dict(_base_.choose, stages=dict(CAM='{seeds}', SANCE='{sance_seeds}')),
    _base_.pseudo_labels,
    dict(_base_.check_labels, training=None),
    *_base_.folder_steps,
    dict(
        _base_.report_step,
        checks=[
            '{photo_checks}', '{check_seeds}/checks.json', *_base_.stage_checks[1:]
        ],
        curves=[
            *_base_.report_step['curves'],
            dict(title='Training of SANCE', train='{train_sance}')
        ])
]
