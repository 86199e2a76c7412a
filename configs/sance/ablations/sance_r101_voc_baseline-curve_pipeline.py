# Figure 5, the baseline's curve: its row of Table 1, and the CAM inside its contours
# after each epoch. (SANCE's own curve is its validation.)
# python tools/pipeline.py \
#     configs/sance/ablations/sance_r101_voc_baseline-curve_pipeline.py --gpus 4
_base_ = './sance_r101_voc_cam-walk_pipeline.py'
title = 'The baseline of SANCE over its training on PASCAL VOC 2012'
epoch = 1058
*steps, report = _base_.steps
kept = {
    'default_hooks.checkpoint.interval': epoch,
    'default_hooks.checkpoint.max_keep_ckpts': -1
}
steps = [
    *(dict(step, cfg_options=dict(step['cfg_options'], **kept))
      if step['name'] == 'train_irn' else step for step in steps),
    *(step for n in range(1, 17) for step in (
        dict(
            name=f'walk_{n}', type='walk', config='{irn}',
            checkpoint='{train_irn}/' + f'iter_{n * epoch}.pth',
            seeds='{seeds}',
            cfg_options={'seed_dataloader.dataset.ann_file': '{score_list}'},
            keep_seeds=True),
        dict(
            name=f'score_{n}', type='score_seeds', config='{localizer}',
            seeds='{walk_' + str(n) + '}/seeds',
            show=['seed/mIoU', 'seed/threshold']))),
    report
]
