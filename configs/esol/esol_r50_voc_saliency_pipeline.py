# ESOL-sal: seeds of ESOL, pseudo labels with saliency as the background cue.
# Supervision: I+S.
# python tools/pipeline.py configs/esol/esol_r50_voc_saliency_pipeline.py
_base_ = './esol_r50_voc_pipeline.py'
title = 'ESOL with saliency on PASCAL VOC 2012'
localizer = '{{ fileDirname }}/esol_r50_voc_saliency.py'
protocol = dict(supervision='I+S (image labels and saliency); masks only measure')
saliency_seeds = '{{ fileDirname }}/esol_r50_voc_saliency_seeds.py'
# Appendix, Table 4: seeds with saliency.
saliency_steps = [
    dict(
        name='seeds_with_saliency', type='refine', config='{saliency_seeds}',
        seeds='{seeds_shrink}',
        refiner='config',
        bg_thr='{score_shrink:seed/threshold}'),
    dict(
        name='score_seeds_with_saliency', type='score_masks', config='{saliency_seeds}',
        masks='{seeds_with_saliency}',
        show=['mask/mIoU']),
]
steps = [
    dict(step, refiner='config') if step['name'] == 'pseudo_labels' else step
    for step in _base_.steps
]
steps = [*steps[:-1], *saliency_steps, steps[-1]]
