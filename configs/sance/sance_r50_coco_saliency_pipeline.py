# SANCE-sal: saliency maps refine the online labels; see sance_r50_coco_saliency.py
# for where they lie. Supervision: I+S.
# python tools/pipeline.py configs/sance/sance_r50_coco_saliency_pipeline.py
_base_ = './sance_r50_coco_pipeline.py'
title = 'SANCE with saliency on COCO 2014'
sance = '{{ fileDirname }}/sance_r50_coco_saliency.py'
protocol = dict(
    supervision='I+S (image labels and saliency); masks only measure')
# Saliency needs no package.
steps = _base_.steps
for step in steps:
    if step['name'] == 'train_sance':
        step.pop('needs')
        step.pop('without')
del step
