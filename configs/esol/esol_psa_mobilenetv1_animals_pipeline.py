# ESOL's seeds refined by PSA on six animals of PASCAL VOC, on a CPU:
# python tools/pipeline.py \
#     configs/esol/esol_psa_mobilenetv1_animals_pipeline.py
_base_ = ['../_base_/recipes/esol_psa.py', '../_base_/recipes/animals.py']
title = 'ESOL with MobileNetV1 and PSA on six animals of PASCAL VOC 2012'
localizer = '{{ fileDirname }}/esol_mobilenetv1_animals.py'
affinity = '{{ fileDirname }}/../psa/psa_mobilenetv1_animals.py'
# The published power suits other seeds.
steps = [
    dict(
        step,
        cfg_options={
            'walk.alpha': None,
            'walk.bg_thr': '{score_shrink:seed/threshold}'
        }) if step['type'] == 'walk' else step
    for step in _base_.steps
]
