# ESOL's seeds refined by PSA on six animals of PASCAL VOC, on a CPU:
# python tools/pipeline.py \
#     configs/esol/esol_psa_mobilenetv1_animals_pipeline.py
_base_ = [
    './esol_mobilenetv1_animals_pipeline.py',
    '../_base_/pipelines/affinity.py'
]
title = 'ESOL with MobileNetV1 and PSA on six animals of PASCAL VOC 2012'
affinity = '{{ fileDirname }}/../psa/psa_mobilenetv1_animals.py'
for step in _base_.affinity_steps:
    if 'seeds' in step:
        step['seeds'] = '{seeds_shrink}'
    # The published power suits other seeds.
    if step['type'] == 'walk':
        step['cfg_options'] = {
            'walk.alpha': None,
            'walk.threshold': '{score_shrink:seed/threshold}'
        }
del step
steps = [
    *_base_.localization_steps[:-2],
    *_base_.affinity_steps,
    *_base_.segmentation_steps,
    _base_.report_step,
]
