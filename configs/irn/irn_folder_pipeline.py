# Your own tagged images by CAM and IRN, no mask needed; docs/en/own_photos.md says how
# to lay them out. mmwsss run my_photos --method irn calls this:
# python tools/pipeline.py configs/irn/irn_folder_pipeline.py \
#     --cfg-options data_root=my_photos
_base_ = ['../_base_/recipes/irn.py', '../_base_/recipes/folder.py']
title = 'CAM and IRN on my own photos'
localizer = '{{ fileDirname }}/../cam/cam_folder.py'
irn = '{{ fileDirname }}/irn_folder.py'
cfg_options = dict(irn={**_base_.boundary_lists, **_base_.resnet_weights})
steps = [
    _base_.train_localizer,
    _base_.seeds,
    dict(
        _base_.choose, name='choose_seeds', stages=dict(CAM='{seeds}'),
        refiners=['none']),
    dict(
        _base_.irn_steps[0],
        conf_fg='{choose_seeds:chosen/conf_fg}',
        conf_bg='{choose_seeds:chosen/conf_bg}'),
    dict(
        _base_.check_labels, name='check_seeds', labels='{affinity_labels}',
        seeds=None, bg_thr=None, of='confident labels'),
    *_base_.irn_steps[1:3],
    dict(_base_.choose, stages=dict(CAM='{seeds}', IRN='{walk}/seeds')),
    _base_.pseudo_labels,
    dict(_base_.check_labels, training=None),
    *_base_.folder_steps,
    dict(
        _base_.report_step,
        checks=[
            '{photo_checks}', '{check_seeds}/checks.json', *_base_.stage_checks[1:]
        ],
        curves=[*_base_.report_step['curves'], _base_.irn_curve])
]
