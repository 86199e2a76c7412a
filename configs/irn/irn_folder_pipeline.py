# Your own tagged images by CAM and IRN, no mask needed; docs/en/own_photos.md says
# how to lay them out:
# python tools/pipeline.py configs/irn/irn_folder_pipeline.py \
#     --cfg-options data_root=my_photos
# Without masks nothing tells which threshold is best: raise it where pseudo
# labels are too large in report.html, lower it where objects are missed.
_base_ = ['../_base_/recipes/irn.py', '../_base_/recipes/folder.py']
title = 'CAM and IRN on my own photos'
localizer = '{{ fileDirname }}/../cam/cam_folder.py'
irn = '{{ fileDirname }}/irn_folder.py'
conf_fg = 0.30
conf_bg = 0.05
bg_thr = 0.25
steps = [
    dict(
        name='train_localizer', type='train', config='{localizer}',
        cfg_options={'val_evaluator.on_missing_mask': 'skip'}),
    dict(
        name='seeds', type='seeds', config='{localizer}',
        checkpoint='{train_localizer}/last_checkpoint'),
    # Labels, training and walk; nothing is scored.
    *_base_.irn_steps[:3],
    dict(
        name='pseudo_labels', type='refine', config='{localizer}',
        seeds='{walk}/seeds',
        refiner='none',
        bg_thr='{bg_thr}'),
    *_base_.folder_steps,
    dict(
        _base_.report_step,
        sections=[dict(_base_.section, columns=[_base_.seed_column, *_base_.columns])],
        curves=[
            dict(title='Training of the classifier', train='{train_localizer}'),
            _base_.irn_curve,
            _base_.curve
        ])
]
