# Your own tagged images by ESOL, no mask needed; docs/en/own_photos.md says how to lay
# them out. mmwsss run my_photos --method esol calls this:
# python tools/pipeline.py configs/esol/esol_folder_pipeline.py \
#     --cfg-options data_root=my_photos
_base_ = '../_base_/recipes/folder.py'
title = 'ESOL on my own photos'
localizer = '{{ fileDirname }}/esol_folder.py'
stages = ('classify', 'expand', 'shrink')
steps = [
    _base_.train_localizer,
    *[
        dict(
            _base_.seeds,
            name=f'seeds_{stage}',
            checkpoint=f'{{train_localizer}}/stage_{stage}.pth')
        for stage in stages
    ],
    dict(_base_.choose, stages={stage: f'{{seeds_{stage}}}' for stage in stages}),
    _base_.pseudo_labels,
    _base_.check_labels,
    *_base_.folder_steps,
    dict(_base_.report_step, checks=_base_.stage_checks),
]
