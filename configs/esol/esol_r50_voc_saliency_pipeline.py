# ESOL-sal: seeds of ESOL, pseudo labels with saliency as the background cue.
# Supervision: I+S.
# python tools/pipeline.py configs/esol/esol_r50_voc_saliency_pipeline.py
_base_ = './esol_r50_voc_pipeline.py'
title = 'ESOL with saliency on PASCAL VOC 2012'
localizer = '{{ fileDirname }}/esol_r50_voc_saliency.py'
protocol = dict(supervision='I+S (image labels and saliency); masks only measure')
steps = [
    dict(step, refiner='config') if step['name'] == 'pseudo_labels' else step
    for step in _base_.steps
]
