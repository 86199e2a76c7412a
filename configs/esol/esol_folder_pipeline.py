# Your own tagged images, no mask needed; docs/en/own_photos.md says how to lay
# them out:
# python tools/pipeline.py configs/esol/esol_folder_pipeline.py \
#     --cfg-options data_root=my_photos
# Without masks nothing tells which threshold is best: raise it where pseudo
# labels are too large in report.html, lower it where objects are missed.
_base_ = '../_base_/recipes/folder.py'
title = 'ESOL on my own photos'
localizer = '{{ fileDirname }}/esol_folder.py'
bg_thr = 0.15
protocol = dict(weights='ImageNet for the classifier; see the segmentation config')
steps = [
    dict(name='train_localizer', type='train', config='{localizer}'),
    dict(
        name='seeds', type='seeds', config='{localizer}',
        checkpoint='{train_localizer}/stage_shrink.pth'),
    dict(
        name='pseudo_labels', type='refine', config='{localizer}',
        seeds='{seeds}',
        refiner='irn_label',
        bg_thr='{bg_thr}'),
    *_base_.folder_steps,
    dict(
        _base_.report_step,
        sections=[dict(_base_.section, columns=[_base_.seed_column, *_base_.columns])],
        curves=[
            dict(title='Training of ESOL', train='{train_localizer}'),
            _base_.curve
        ])
]
